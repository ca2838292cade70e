"""NestedSamples: the estimated NLL against the number of importance samples."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil.widgets._base import Explorable, sketch


class NestedSamples(Explorable):
    """A slider over k, and the NLL that k importance samples give, for one or more models.

    models: dicts with `label`, and for each k of the list `k` (rising) the mean `nll`, its `excess`
    over the largest k with the standard error `se`, and the share `far` of images for which that
    excess is above half a nat; `exact`, where it is known (None where not). All in nats.

    Traits, synced both ways: `at`, the place of k in the list, and `model`, the model's number.

    Raises ValueError for lists of different lengths or of fewer than two k; traitlets.TraitError
    for a place or a model that is not there.
    """

    at = t.Int(0).tag(sync=True)
    model = t.Int(0).tag(sync=True)

    def __init__(self, models, *, title="How many samples?", **state):
        models = [dict(model) for model in models]
        if not models:
            raise ValueError("At least one model is needed.")
        for model in models:
            lengths = {len(model[name]) for name in ("k", "nll", "excess", "se", "far")}
            if len(lengths) != 1 or len(model["k"]) < 2 or model["k"] != sorted(set(model["k"])):
                raise ValueError(f"{model['label']}: one number each for at least two rising k.")
            if model["k"] != models[0]["k"]:
                raise ValueError("All models need the same list of k.")
            model.setdefault("exact", None)
        self._models = models
        super().__init__(
            tag="nested-samples",
            moves=["at", "model"],
            options={"title": title, "models": models},
            **state,
        )

    @t.validate("at")
    def _check_at(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self._models[0]["k"]):
            raise t.TraitError(f"at is a place in the list of k, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("model")
    def _check_model(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self._models):
            raise t.TraitError(f"There are {len(self._models)} models, no {proposal['value']}.")
        return proposal["value"]

    def picture(self) -> tuple[np.ndarray, str]:
        """The curve of the model that is chosen."""
        model = self._models[self.model]
        figure = Figure(figsize=(7.0, 3.0), layout="constrained")
        axes = figure.add_subplot()
        axes.semilogx(model["k"], model["nll"], "o-")
        if model["exact"] is not None:
            axes.axhline(model["exact"], ls="--")
        axes.set(xlabel="importance samples k", ylabel="NLL, nats", title=model["label"])
        first, last = model["nll"][0], model["nll"][-1]
        exact = "" if model["exact"] is None else f"; the exact value is {model['exact']:.2f}"
        return sketch(figure), (
            f"{self.options['title']}: the estimated NLL of {model['label']} falls from "
            f"{first:.2f} nats at k = {model['k'][0]} to {last:.2f} at k = {model['k'][-1]:,}"
            f"{exact}."
        )


def from_result(result: dict, labels: dict[str, str]) -> list[dict]:
    """The models of the stored experiment `nested`, by their names: {"vae": label, …}."""
    rows = []
    for name, label in labels.items():
        run = next(run for run in result["runs"] if run["run"]["model"] == name)
        figures, errors = run["figures"], run["errors"]
        ks = sorted(int(key[4:]) for key in figures if key.startswith("nll_"))
        columns = {
            key: [source[f"{prefix}_{k}"] for k in ks]
            for key, source, prefix in (
                ("nll", figures, "nll"),
                ("excess", figures, "excess"),
                ("se", errors, "excess"),
                ("far", figures, "far"),
            )
        }
        exact = figures.get("grid")
        if exact is not None and not math.isfinite(exact):
            raise ValueError(f"{name}: the exact value is not finite.")
        rows.append({"label": label, "k": ks, **columns, "exact": exact})
    return rows
