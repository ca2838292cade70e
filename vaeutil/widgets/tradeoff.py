"""RateDistortion: models trained at several prices β, their curve, reconstructions and samples."""

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join, pack


class RateDistortion(Explorable):
    """A slider over models trained at different β, on the plane of rate and distortion.

    models: {β: model}, β rising, with `posterior`, `latent` and a decoder to the 784
    pre-activations; points: {β: (rate, distortion)}, measured, in nats; x: [n, 784] images to
    reconstruct, n from 1 to 10, as the models observe them.

    Traits, synced both ways in a live notebook: `at`, the index of the model; `image`, that of x.

    The page shows x, its reconstruction from the posterior's mean and from draws, and draws from
    the prior. The noise is the same for every β, so what changes is due to β.

    Raises ValueError for fewer than two models, different latent sizes, points that do not belong
    to the models, or too few or many images; traitlets.TraitError for an index out of range.
    """

    at = t.Int(0).tag(sync=True)
    image = t.Int(0).tag(sync=True)

    def __init__(self, models, points, x, *, at=0, title="Rate against distortion"):
        betas = list(models)
        if len(betas) < 2 or betas != sorted(betas) or list(points) != betas:
            raise ValueError("At least two models are needed, β rising, and a point for each β.")
        if len({model.latent for model in models.values()}) > 1:
            raise ValueError("The models need latent spaces of one size: they share the noise.")
        if not 1 <= len(x) <= 10:
            raise ValueError(f"From 1 to 10 images can be reconstructed, not {len(x)}.")
        self._count, self._images = len(betas), len(x)
        with torch.no_grad():
            laws = [model.posterior(x.to(model.device)) for model in models.values()]
        latent = models[betas[0]].latent
        super().__init__(
            tag="rate-distortion",
            moves=["at", "image"],
            weights=join({str(i): pack(m.decoder, latent) for i, m in enumerate(models.values())}),
            options={
                "title": title,
                "betas": betas,
                "rates": [float(points[b][0]) for b in betas],
                "distortions": [float(points[b][1]) for b in betas],
                "means": [_rounded(q.mean) for q in laws],
                "stds": [_rounded(q.stddev) for q in laws],
                "x": (255 * x).round().int().tolist(),
                "seed": 0,
            },
            at=at,
        )

    @t.validate("at", "image")
    def _check_index(self, proposal) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        count = self._count if name == "at" else self._images
        if not 0 <= value < count:
            raise t.TraitError(f"{name} must be from 0 to {count - 1}, not {value}.")
        return value

    def picture(self) -> tuple[np.ndarray, str]:
        """The curve, each point with its β."""
        figure = Figure((6, 3), layout="constrained")
        axes = figure.subplots()
        rates, distortions = self.options["rates"], self.options["distortions"]
        axes.plot(rates, distortions, "o-", color=PALETTE[0])
        for beta, rate, distortion in zip(self.options["betas"], rates, distortions, strict=True):
            axes.annotate(f"β = {beta:g}", (rate, distortion), (6, 4), textcoords="offset points")
        axes.set(xlabel="rate (nats)", ylabel="distortion (nats)")
        pairs = zip(self.options["betas"], rates, distortions, strict=True)
        told = "; ".join(f"β {b:g}: rate {r:.1f}, distortion {d:.1f}" for b, r, d in pairs)
        return sketch(figure), f"Distortion against rate, in nats, falling. {told}."


def _rounded(values: torch.Tensor) -> list:
    return np.round(values.double().cpu().numpy(), 4).tolist()
