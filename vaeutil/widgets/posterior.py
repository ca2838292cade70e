"""PosteriorFit: drag a q over the true posterior of an image, tilt it, bend it, read the gap."""

import copy
import math

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure
from torch import Tensor

from vaeutil._svg import PALETTE
from vaeutil.models.likelihoods import Bernoulli
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join, pack_network

RANGES = {"mean": (-5.0, 5.0), "sd": (0.01, 2.0), "shear": (-2.0, 2.0), "bend": (-1.0, 1.0)}
FAMILIES = ("upright", "tilted", "bent")  # each contains the one before
NODES = 17  # of Gauss–Hermite quadrature, in either direction
MOST = 8  # images


class PosteriorFit(Explorable):
    """The exact posterior of a two-dimensional VAE, and a q that the reader fits to it.

    q is the law of z₁ = m₁ + s₁ ε₁, z₂ = m₂ + s₂ ε₂ + shear ε₁ + bend (ε₁² − 1), ε ~ N(0, I): a
    diagonal Gaussian through one coupling whose log|det| is zero. Its ELBO is by quadrature in the
    browser, log p(x) by a fine grid here. model: a VAE with two latent dimensions, the Bernoulli
    likelihood and a Gaussian encoder; x: binary images [n, 784], n from 1 to 8.

    Traits, synced both ways in a live notebook: `image`, the number of the image; `mean`, `sd`
    ([2] each), `shear` and `bend`. They start at the encoder's q. `best` holds for each image what
    the encoder says and the best q of each family: {name: [m₁, m₂, s₁, s₂, shear, bend, gap]}.

    Raises ValueError for another model or other images; traitlets.TraitError for a trait out of
    range.
    """

    image = t.Int(0).tag(sync=True)
    mean = t.List(t.Float()).tag(sync=True)
    sd = t.List(t.Float()).tag(sync=True)
    shear = t.Float(0.0).tag(sync=True)
    bend = t.Float(0.0).tag(sync=True)

    def __init__(self, model, x, *, image=0, title="The posterior of an image"):
        config = getattr(model, "config", {})
        if config.get("likelihood") != "bernoulli" or model.latent != 2 or hasattr(model, "flow"):
            raise ValueError("PosteriorFit needs a Bernoulli VAE with a Gaussian q of two numbers.")
        if x.ndim != 2 or not 1 <= len(x) <= MOST or not ((x == 0) | (x == 1)).all():
            raise ValueError(f"x must be from 1 to {MOST} binary images, not {list(x.shape)}.")
        self._x = x.detach().cpu()
        # What the browser runs: the weights rounded to float16.
        self._decoder = copy.deepcopy(model.decoder).cpu().half().float().requires_grad_(False)
        with torch.no_grad():
            q = model.posterior(x)
        self._q = torch.cat([q.mean, q.stddev, torch.zeros(len(x), 2)], -1).cpu().double()
        self._look()
        self.best = [dict(zip(("encoder", *FAMILIES), row, strict=True)) for row in self._fit()]
        start = self.best[image if 0 <= image < len(x) else 0]["encoder"]
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        super().__init__(
            tag="posterior-fit",
            moves=["image", "mean", "sd", "shear", "bend"],
            weights=join({"decoder": pack_network(model.decoder, 2, 784)}),
            options={
                "title": title,
                "images": self._x.int().tolist(),
                "evidence": self.evidence.tolist(),
                "windows": self._windows.tolist(),
                "best": self.best,
                "ranges": RANGES,
                "nodes": nodes.tolist(),
                "shares": (weights / weights.sum()).tolist(),
            },
            image=image,
            mean=start[:2],
            sd=start[2:4],
        )

    @t.validate("image", "mean", "sd", "shear", "bend")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES.get(name, (0, len(self._x) - 1))
        values = value if isinstance(value, list) else [value]
        if isinstance(value, list) and len(value) != 2:
            raise t.TraitError(f"{name} needs two numbers, not {len(value)}.")
        if not all(low <= one <= high for one in values):
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    def _joint(self, z: Tensor) -> Tensor:
        """log p(x, z) in nats, for codes [n, points, 2] of the n images: [n, points]."""
        prior = -0.5 * z.square().sum(-1) - math.log(2 * math.pi)
        return Bernoulli(self._decoder(z.float())).log_prob(self._x[:, None]).double() + prior

    def _look(self) -> None:
        """Find each posterior on a coarse grid, then its evidence on a fine one."""
        side = torch.linspace(-5, 5, 101, dtype=torch.float64)
        windows = torch.tensor([[-5.0, 5.0], [-5.0, 5.0]]).double().expand(len(self._x), 2, 2)
        for _ in range(3):
            share = (side - side[0]) / (side[-1] - side[0])
            axes = windows[..., :1] + share * (windows[..., 1:] - windows[..., :1])  # [n, 2, 101]
            z = torch.stack([torch.cartesian_prod(*pair) for pair in axes])
            parts = z.split(2_000, 1)
            log = torch.cat([self._joint(part) for part in parts], 1)
            cell = (windows[..., 1] - windows[..., 0]).prod(-1) / 100**2
            weight = log.softmax(1)[..., None]
            centre = (weight * z).sum(1)
            spread = (weight * (z - centre[:, None]).square()).sum(1).sqrt()
            # A posterior narrower than the grid's step shows no spread: leave room for two steps.
            half = 5.5 * spread + 2 * (windows[..., 1] - windows[..., 0]) / 100
            windows = torch.stack([centre - half, centre + half], -1)
        self.evidence = log.logsumexp(1) + cell.log()  # [n], in nats
        apart = (self._q[:, :2] - centre).abs() + 2.5 * self._q[:, 2:4]
        half = torch.maximum(3.8 * spread, 1.1 * apart)
        self._windows = torch.stack([centre - half, centre + half], -1)  # [n, 2, 2]

    def gaps(self, q: Tensor) -> Tensor:
        """log p(x) − ELBO, [n] nats, of one q for each image: [n, 6] as in `best`."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        epsilon = torch.cartesian_prod(*[torch.from_numpy(nodes)] * 2)
        share = torch.from_numpy(np.outer(weights, weights).ravel() / weights.sum() ** 2)
        z = points(q, epsilon)
        entropy = q[:, 2:4].log().sum(1) + 1 + math.log(2 * math.pi)
        return self.evidence - (self._joint(z) * share).sum(1) - entropy

    def _fit(self) -> list[list[list[float]]]:
        """The encoder's q and the best of each family, with their gaps: [n][4][7]."""
        found = [self._q]
        start = self._q
        for free in (4, 5, 6):  # each family begins at the best of the one before
            leaf = torch.cat([start[:, :2], start[:, 2:4].log(), start[:, 4:]], 1).clone()
            leaf.requires_grad_()
            mask = torch.arange(6) < free
            optimiser = torch.optim.LBFGS([leaf], max_iter=25, line_search_fn="strong_wolfe")

            def unpack(p):
                return torch.cat([p[:, :2], p[:, 2:4].exp(), p[:, 4:]], 1)

            def loss(leaf=leaf, optimiser=optimiser, mask=mask):
                optimiser.zero_grad()
                total = self.gaps(unpack(leaf)).sum()
                total.backward()
                leaf.grad.mul_(mask)
                return total

            optimiser.step(loss)
            start = unpack(leaf).detach()
            found.append(start)
        rows = [torch.cat([q, self.gaps(q)[:, None]], 1) for q in found]
        return torch.stack(rows, 1).tolist()

    def picture(self) -> tuple[np.ndarray, str]:
        """The posterior of the image, filled, and the encoder's q and the best bent one."""
        window = self._windows[self.image]
        axes = [torch.linspace(*pair.tolist(), 81, dtype=torch.float64) for pair in window]
        z = torch.cartesian_prod(*axes).expand(len(self._x), -1, 2)
        log = self._joint(z)[self.image].view(81, 81).T
        figure = Figure((6, 3.4), layout="constrained")
        plot = figure.subplots()
        plot.contourf(*axes, (log - log.max()).exp(), [0.011, 0.135, 0.607, 1.01], cmap="Blues")
        turn = torch.linspace(0, 2 * math.pi, 91, dtype=torch.float64)
        circle = 2 * torch.stack([turn.cos(), turn.sin()], -1)
        for (name, q), colour in zip(self.best[self.image].items(), PALETTE[1:], strict=False):
            place = points(torch.tensor([q[:6]]), circle)[0]
            plot.plot(*place.T, color=colour, label=f"{name}, gap {q[6]:.2f} nats")
        plot.set(xlabel="z₁", ylabel="z₂")
        plot.legend(fontsize=8)
        gap = self.best[self.image]
        return sketch(figure), (
            f"{self.options['title']}: contours of the true posterior of one image in the plane of "
            f"its code, and of four guesses. The encoder's lacks {gap['encoder'][6]:.2f} nats, the "
            f"best upright ellipse {gap['upright'][6]:.2f}, the best bent {gap['bent'][6]:.2f}."
        )


def points(q: Tensor, epsilon: Tensor) -> Tensor:
    """Where q takes the noise: q [n, 6], epsilon [points, 2] → [n, points, 2]."""
    first, second = epsilon.unbind(-1)
    m1, m2, s1, s2, shear, bend = q[..., None].unbind(1)
    z2 = m2 + s2 * second + shear * first + bend * (first.square() - 1)
    return torch.stack([m1 + s1 * first, z2], -1)
