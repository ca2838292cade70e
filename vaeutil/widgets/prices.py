"""PriceGrid: InfoVAEs trained on a grid of α and λ, their q(z), and its MMD at any bandwidth."""

import math

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.aggregate import posteriors
from vaeutil.data import Split
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join, pack

MOST = 400  # images: the page computes all pairs of their codes
BANDWIDTHS = (0.05, 20.0)


class PriceGrid(Explorable):
    """Two sliders over models trained at prices α and λ, one over the bandwidth of an MMD.

    models: {(α, λ): model with latent = 2}, for every pair of some α and some λ; measured:
    {(α, λ): {"mutual_information", "aggregate_kl", "distortion"}}, in nats; split: from 10 to 400
    images, one posterior draw of each is shown, with the same noise for all models.

    Traits, synced both ways in a live notebook: `alpha` and `lam`, the indices of the prices;
    `bandwidth` of the Gaussian kernel; `point`, the code that is decoded. `codes` holds the draws,
    {(α, λ): [n, 2]}. The page computes `mmd.normal_mmd2` of them.

    Raises ValueError for a grid with holes or below two models, a latent that is not 2, figures
    that do not belong to the models, or too few or many images; traitlets.TraitError for values
    out of range.
    """

    alpha = t.Int(0).tag(sync=True)
    lam = t.Int(0).tag(sync=True)
    bandwidth = t.Float(1.0).tag(sync=True)
    point = t.List(t.Float(), [0.0, 0.0]).tag(sync=True)

    def __init__(self, models, measured, split: Split, *, title="What the two prices do"):
        self._alphas, self._lams = (sorted({pair[i] for pair in models}) for i in (0, 1))
        grid = [(alpha, lam) for alpha in self._alphas for lam in self._lams]
        if len(grid) < 2 or set(grid) != set(models) or set(grid) != set(measured):
            raise ValueError("A model, and its figures, for every pair of α and λ: at least two.")
        if any(model.latent != 2 for model in models.values()):
            raise ValueError("PriceGrid needs models with two latent dimensions.")
        if not 10 <= len(split) <= MOST:
            raise ValueError(f"PriceGrid shows from 10 to {MOST} images, not {len(split):,}.")
        noise = torch.randn(len(split), 2, generator=torch.Generator().manual_seed(0)).double()
        laws = {pair: posteriors(models[pair], split) for pair in grid}
        self.codes = {pair: mean + std * noise for pair, (mean, std) in laws.items()}
        names = ("mutual_information", "aggregate_kl", "distortion")
        super().__init__(
            tag="price-grid",
            moves=["alpha", "lam", "bandwidth", "point"],
            weights=join({str(i): pack(models[pair].decoder, 2) for i, pair in enumerate(grid)}),
            options={
                "title": title,
                "alphas": self._alphas,
                "lams": self._lams,
                "bandwidths": list(BANDWIDTHS),
                "codes": [np.round(self.codes[pair].T.numpy(), 4).tolist() for pair in grid],
                "measured": [[float(measured[pair][name]) for name in names] for pair in grid],
                "seed": 0,
            },
        )

    @t.validate("alpha", "lam", "bandwidth", "point")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "point" and not (len(value) == 2 and all(map(math.isfinite, value))):
            raise t.TraitError("point must be a code of two finite numbers.")
        if name == "bandwidth" and not BANDWIDTHS[0] <= value <= BANDWIDTHS[1]:
            raise t.TraitError(f"bandwidth must be from {BANDWIDTHS[0]} to {BANDWIDTHS[1]}.")
        count = {"alpha": len(self._alphas), "lam": len(self._lams)}.get(name)
        if count and not 0 <= value < count:
            raise t.TraitError(f"{name} must be from 0 to {count - 1}, not {value}.")
        return value

    def picture(self) -> tuple[np.ndarray, str]:
        """The draws from q(z) of every model, and the circle that holds 95 % of N(0, I)."""
        figure = Figure((2.1 * len(self._lams), 2 * len(self._alphas)), layout="constrained")
        turn = np.linspace(0, 2 * np.pi, 100)
        rows = figure.subplots(len(self._alphas), len(self._lams), squeeze=False)
        for axes, (pair, z) in zip(rows.flat, self.codes.items(), strict=True):
            axes.plot(*z.T, ".", ms=2, color=PALETTE[0])
            axes.plot(2.45 * np.cos(turn), 2.45 * np.sin(turn), color=PALETTE[1])
            axes.set(title=f"α = {pair[0]:g}, λ = {pair[1]:g}", xlim=(-5, 5), ylim=(-5, 5))
        return sketch(figure), f"Draws from q(z) of {len(self.codes)} models in the latent plane."
