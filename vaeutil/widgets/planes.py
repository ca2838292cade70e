"""CodePlanes: two-dimensional code planes side by side, each with its codes and its decoder."""

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join, pack

MOST = 1_500  # codes of a plane: the page holds each as two numbers


class CodePlanes(Explorable):
    """A plane for each model, with the codes of the same images in all; a point to drag over each.

    models: {name: model with latent = 2 and a decoder to the 784 pre-activations}; x: the images,
    [n, 784], n from 2 to 1,500, as each model's `encode` takes them. pairs: indices (from, to) of
    images between which the reader can walk, in all planes at once, along straight lines.

    Traits, synced both ways in a live notebook: `points`, one code [z₁, z₂] for each plane.
    Attributes: `codes`, {name: [n, 2]}; `spacing`, {name: the median distance from a code to the
    nearest other one}, the unit in which the page tells how far a point is from the nearest code.

    Raises ValueError for no model, one whose latent is not 2, too few or too many images, a pair
    outside them; traitlets.TraitError for points that are not finite or not one for each plane.
    """

    points = t.List(t.List(t.Float())).tag(sync=True)

    def __init__(self, models, x, pairs=((0, 1),), *, title="Code planes"):
        if not models or any(model.latent != 2 for model in models.values()):
            raise ValueError("CodePlanes needs models with two latent dimensions, at least one.")
        if not 2 <= len(x) <= MOST:
            raise ValueError(f"CodePlanes shows from 2 to {MOST:,} images, not {len(x):,}.")
        if not pairs or not all(0 <= i < len(x) and i != j < len(x) for i, j in pairs):
            raise ValueError(f"pairs must be two different indices below {len(x)}, not {pairs}.")
        with torch.no_grad():
            self.codes = {name: model.encode(x).cpu() for name, model in models.items()}
        self.spacing = {name: _spacing(z) for name, z in self.codes.items()}
        super().__init__(
            tag="code-planes",
            moves=["points"],
            weights=join({str(i): pack(m.decoder, 2) for i, m in enumerate(models.values())}),
            options={
                "title": title,
                "names": list(models),
                "codes": [_rounded(z.T) for z in self.codes.values()],
                "spans": [_span(z) for z in self.codes.values()],
                "spacing": list(self.spacing.values()),
                "pairs": [list(pair) for pair in pairs],
                "seed": 0,
            },
            points=[_rounded(z[pairs[0][0]]) for z in self.codes.values()],
        )

    @t.validate("points")
    def _check_points(self, proposal) -> list[list[float]]:
        points = np.array(proposal["value"], float)
        if points.shape != (len(self.codes), 2) or not np.isfinite(points).all():
            raise t.TraitError(f"points must be {len(self.codes)} codes of two finite numbers.")
        return points.tolist()

    def picture(self) -> tuple[np.ndarray, str]:
        """The planes with their codes and the circle that holds 95 % of N(0, I)."""
        figure = Figure((3.4 * len(self.codes), 3.2), layout="constrained")
        turn = np.linspace(0, 2 * np.pi, 100)
        for axes, (name, z), span in zip(
            figure.subplots(1, len(self.codes), squeeze=False)[0],
            self.codes.items(),
            self.options["spans"],
            strict=True,
        ):
            axes.plot(*z.T, ".", ms=2.5, color=PALETTE[0])
            axes.plot(2.45 * np.cos(turn), 2.45 * np.sin(turn), color=PALETTE[1])
            axes.set(title=name, xlabel="z₁", ylabel="z₂", xlim=span[0], ylim=span[1])
        names = " and ".join(self.codes)
        return sketch(figure), f"Codes of {len(z):,} images in the planes of {names}."


def _rounded(z: torch.Tensor) -> list:
    return np.round(z.double().numpy(), 3).tolist()


def _spacing(z: torch.Tensor) -> float:
    near = torch.cdist(z, z).fill_diagonal_(torch.inf).amin(1).median().item()
    return max(near, 1e-6)


def _span(z: torch.Tensor, margin: float = 0.06) -> list[list[float]]:
    """[[lo, hi], [lo, hi]]: all but the outermost codes, and the circle of N(0, I)."""
    edge = torch.quantile(z, torch.tensor([0.005, 0.995]), dim=0)
    lo, hi = edge[0].clamp(max=-2.6), edge[1].clamp(min=2.6)
    room = margin * (hi - lo)
    return _rounded(torch.stack([lo - room, hi + room], 1))
