"""PriorExplorer: the code planes of models with different priors, and draws from each prior."""

import contourpy
import numpy as np
import torch
import torch.distributions as td
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.flows import FlowDistribution
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join, pack
from vaeutil.widgets._pack_flow import pack_flow
from vaeutil.widgets.planes import MOST, _spacing

SHARES = (0.5, 0.9)  # of a prior's mass, within its contours
GRID = 141
PICKS = 600  # components drawn beforehand, that the page takes one after the other


class PriorExplorer(Explorable):
    """One plane with the codes of images, the contours of a prior and draws from it, decoded.

    models: {name: VAE or PriorVAE with latent = 2}, between which the reader chooses; x: images,
    [n, 784], n from 2 to 1,500: their codes are one posterior sample each. notes: {name: nats}, a
    number shown with each model, with `note` as its label. draws: how many at a time.

    Trait, synced both ways in a live notebook: `chosen`, the model's place in `models`.
    The page draws from N(0, I) and from mixtures itself and runs a flow forward. Contours enclose
    50 % and 90 % of a prior's mass, on a grid over the plane that is shown. Distances from draws to
    codes are told in spacings, the median distance from a code to the nearest other one.

    Raises ValueError for no model, one whose latent is not 2, a prior the page cannot draw from,
    too few or too many images; traitlets.TraitError for a `chosen` that is no place.
    """

    chosen = t.Int(0).tag(sync=True)

    def __init__(self, models, x, *, notes=None, note="", draws=12, title="Four priors"):
        if not models or any(model.latent != 2 for model in models.values()):
            raise ValueError("PriorExplorer needs models with two latent dimensions, at least one.")
        if not 2 <= len(x) <= MOST:
            raise ValueError(f"PriorExplorer shows from 2 to {MOST:,} images, not {len(x):,}.")
        laws, codes = {}, {}
        with torch.no_grad():
            for name, model in models.items():
                laws[name] = model.prior
                codes[name] = model.posterior(x).sample().cpu().double().numpy()
            self.spans = {name: _span(z) for name, z in codes.items()}
            samplers = [_sampler(law) for law in laws.values()]
            self.contours = {name: _contours(law, self.spans[name]) for name, law in laws.items()}
        self.codes = codes
        bundles = {f"decoder {i}": pack(m.decoder, 2) for i, m in enumerate(models.values())}
        for i, law in enumerate(laws.values()):
            if isinstance(law, FlowDistribution):
                bundles[f"flow {i}"] = pack_flow(law.flow)
        super().__init__(
            tag="prior-explorer",
            moves=["chosen"],
            weights=join(bundles),
            options={
                "title": title,
                "names": list(models),
                "codes": [np.round(z.T, 2).tolist() for z in codes.values()],
                "contours": list(self.contours.values()),
                "samplers": samplers,
                "spans": list(self.spans.values()),
                "spacing": [_spacing(torch.as_tensor(z)) for z in codes.values()],
                "notes": [(notes or {}).get(name) for name in models],
                "note": note,
                "draws": draws,
                "seed": 0,
            },
        )

    @t.validate("chosen")
    def _check(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.codes):
            raise t.TraitError(f"chosen is a place from 0 to {len(self.codes) - 1}.")
        return proposal["value"]

    def picture(self) -> tuple[np.ndarray, str]:
        """The planes side by side: codes and contours."""
        figure = Figure((2.6 * len(self.codes), 2.9), layout="constrained")
        rows = figure.subplots(1, len(self.codes), squeeze=False)[0]
        for axes, (name, z) in zip(rows, self.codes.items(), strict=True):
            axes.plot(*z.T, ".", ms=2, color=PALETTE[0])
            for lines in self.contours[name]:
                axes.plot(*np.array(lines, float), color=PALETTE[1], lw=1.2)
            span = self.spans[name]
            axes.set(title=name, xlabel="z₁", xlim=span[0], ylim=span[1])
        rows[0].set_ylabel("z₂")
        names = ", ".join(self.codes)
        return sketch(figure), f"Codes of {len(z):,} images and contours of the prior: {names}."


def _sampler(law) -> dict:
    """What the page needs to draw: a mixture's parts and the components to take, or a kind."""
    if isinstance(law, FlowDistribution):
        return {"kind": "flow"}
    if isinstance(law, td.MixtureSameFamily):
        torch_seed = torch.Generator().manual_seed(0)
        picks = torch.multinomial(law.mixture_distribution.probs, PICKS, True, generator=torch_seed)
        parts = law.component_distribution
        numbers = [np.round(v.double().numpy(), 4).tolist() for v in (parts.mean, parts.stddev)]
        return {"kind": "mixture", "means": numbers[0], "stds": numbers[1], "picks": picks.tolist()}
    if isinstance(law, td.Independent) and isinstance(law.base_dist, td.Normal):
        return {"kind": "standard"}
    raise ValueError(f"The page cannot draw from a {type(law).__name__}.")


def _contours(law, span) -> list[list[list[float | None]]]:
    """For each share of the mass its lines, [x, y], a None between one and the next."""
    sides = [np.linspace(*edge, GRID) for edge in span]
    points = torch.tensor(np.stack(np.meshgrid(*sides), -1).reshape(-1, 2), dtype=torch.float32)
    density = law.log_prob(points).double().exp().numpy().reshape(GRID, GRID)
    ranked = np.sort(density.ravel())[::-1]
    mass = ranked.cumsum() * np.prod([side[1] - side[0] for side in sides])
    drawing = contourpy.contour_generator(*sides, density)
    found = []
    for share in SHARES:
        level = ranked[min(np.searchsorted(mass, share), len(ranked) - 1)]
        xs, ys = [], []
        for line in drawing.lines(level):
            xs += [*np.round(line[:, 0], 3).tolist(), None]
            ys += [*np.round(line[:, 1], 3).tolist(), None]
        found.append([xs, ys])
    return found


def _span(z: np.ndarray, margin: float = 0.08) -> list[list[float]]:
    lo, hi = np.minimum(z.min(0), -2.6), np.maximum(z.max(0), 2.6)
    room = margin * (hi - lo)
    return np.round(np.stack([lo - room, hi + room], 1), 3).tolist()
