"""Refining q for one image at a time, the decoder held still: what the encoder's haste costs.

The gap of an image falls into two (Cremer, Li & Duvenaud 2018, arXiv:1801.03558):

    log p(x) − ELBO(q_φ) = [log p(x) − ELBO(q*)] + [ELBO(q*) − ELBO(q_φ)]
                             approximation           amortisation

q* is the best of a family of laws for this image alone.
"""

import math
from collections.abc import Callable

import torch
import torch.distributions as td
from torch import Tensor
from torch.func import functional_call, vmap

from vaeutil.data import Split, observe
from vaeutil.flows import Flow, coupling
from vaeutil.importance import log_mean
from vaeutil.models import VAE, FlowVAE, gaussian
from vaeutil.seeding import seeded

FAMILIES = ("own", "diagonal", "full", "flow")
DEPTH, HIDDEN = 4, (16,)  # of the flow of one image
MOMENTS = 200  # draws of q that tell where to start
PIECE = 20  # images × draws stay small enough for the cache


class Law:
    """One law for each of n images, as `refine` returns it.

    `sample_with_log_prob((k,))` → draws [k, n, latent] with gradient, log-densities [k, n];
    `parameters`: what was refined, {name: [n, …]}.
    """

    def __init__(self, parameters: dict[str, Tensor], draw: Callable):
        self.parameters, self._draw = parameters, draw

    def sample_with_log_prob(self, shape=()) -> tuple[Tensor, Tensor]:
        """Draws [*shape, n, latent], and their log-densities [*shape, n], in nats."""
        return self._draw(self.parameters, torch.Size(shape))


def refine(
    model: VAE,
    x: Tensor,
    family: str = "own",
    *,
    steps: int = 300,
    draws: int = 8,
    lr: float = 0.03,
    seed: int = 0,
) -> Law:
    """The best q of `family` for each image x [n, 784], by Adam from the encoder's guess.

    - "own": what the encoder itself could have said, for a `VAE` a mean and a variance for each
      latent dimension, for a `FlowVAE` those and the context of its flow;
    - "diagonal", "full": a Gaussian with a diagonal or a full covariance;
    - "flow": the full Gaussian through four couplings that are this image's alone.

    Decoder and flow of the model do not move. The rate falls from lr to zero along a cosine.
    Images do not influence each other. Raises ValueError for an unknown family, TypeError for
    "own" of a model that is neither.
    """
    if family not in FAMILIES:
        raise ValueError(f"family is {family!r}; choose one of {', '.join(FAMILIES)}.")
    model.check_images(x)
    with seeded(seed, x.device):
        start, draw = _start(model, x, family)
        law = Law(
            {name: value.detach().clone().requires_grad_() for name, value in start.items()}, draw
        )
        leaves = list(law.parameters.values())
        optimiser = torch.optim.Adam(leaves, lr=lr)
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = lr * 0.5 * (1 + math.cos(math.pi * step / steps))
            loss = -log_weights(model, x, law, draws).mean(0).sum()
            for leaf, slope in zip(leaves, torch.autograd.grad(loss, leaves), strict=True):
                leaf.grad = slope
            optimiser.step()
    law.parameters = {name: value.detach() for name, value in law.parameters.items()}
    return law


def log_weights(model: VAE, x: Tensor, law, k: int) -> Tensor:
    """log p(x, z) − log q(z) at k draws of any law over codes: [k, n], in nats."""
    z, log_q = law.sample_with_log_prob((k,))
    return model.likelihood(z).log_prob(x) + model.prior.log_prob(z) - log_q


@torch.no_grad()
def split(model: VAE, images: Split, *, k: int, k_bound: int, steps: int, draws: int) -> dict:
    """The ELBO of the encoder's guess and of each family's best, and log p(x): {name: [n]} in nats.

    "encoder", "own", "diagonal", "full", "flow", by k_bound draws; "log p", by k importance
    samples of the refined flow. Images are binarised by seed 0, as in `evaluation`. For a plain
    VAE "own" is "diagonal", refined once.
    """
    x = observe(images.pixels, model.observation, torch.Generator().manual_seed(0))
    parts: dict[str, list[Tensor]] = {}
    for part in x.split(PIECE):
        for name, value in _split_one(model, part, k, k_bound, steps, draws).items():
            parts.setdefault(name, []).append(value)
    return {name: torch.cat(values) for name, values in parts.items()}


def _split_one(model, x, k, k_bound, steps, draws) -> dict[str, Tensor]:
    def weights(law, total):
        sizes = [50] * (total // 50) + ([total % 50] if total % 50 else [])
        return torch.cat([log_weights(model, x, law, size) for size in sizes])

    families = ("own", "full", "flow") if _plain(model) else FAMILIES
    found = {}
    with torch.enable_grad():
        laws = {name: refine(model, x, name, steps=steps, draws=draws) for name in families}
    with seeded(0, x.device):
        found["encoder"] = weights(guess(model, x), k_bound).mean(0)
        for name, law in laws.items():
            found[name] = weights(law, k_bound).mean(0)
        found["log p"] = log_mean(weights(laws["flow"], k))
    return found if "diagonal" in found else found | {"diagonal": found["own"]}


def guess(model: VAE, x: Tensor) -> Law:
    """The encoder's own q for each image, as a Law."""
    start, draw = _start(model, x, "own")
    return Law(start, draw)


def _plain(model: VAE) -> bool:
    """Whether the encoder's outputs are the mean and log-variance of a diagonal Gaussian."""
    return model.codes_per_latent == 2 and not isinstance(model, FlowVAE)


@torch.no_grad()
def _start(model: VAE, x: Tensor, family: str) -> tuple[dict[str, Tensor], Callable]:
    """Where the family begins, {name: [n, …]}, and how to draw from it."""
    if family == "own":
        return _own(model, x)
    if _plain(model):
        mean, log_variance = model.encoder(x).float().chunk(2, -1)
        root = torch.diag_embed((0.5 * log_variance).exp())
    else:
        z = model.posterior(x).sample((MOMENTS,))
        mean, apart = z.mean(0), z - z.mean(0)
        covariance = torch.einsum("kni,knj->nij", apart, apart) / MOMENTS
        root = torch.linalg.cholesky(covariance + 1e-4 * torch.eye(model.latent).to(mean))
    diagonal = root.square().sum(-1).sqrt().log()
    if family == "diagonal":
        return {"mean": mean, "log_std": diagonal}, _diagonal
    start = {"mean": mean, "log_std": root.diagonal(dim1=-2, dim2=-1).log(), "below": root.tril(-1)}
    if family == "full":
        return start, _full
    flow = coupling(model.latent, DEPTH, HIDDEN).to(x.device)
    own = {name: value.expand(len(x), *value.shape) for name, value in flow.named_parameters()}
    return start | own, lambda parameters, shape: _bent(flow, parameters, shape)


def _own(model: VAE, x: Tensor) -> tuple[dict[str, Tensor], Callable]:
    if isinstance(model, FlowVAE):
        choice = model.choice(x)
        law = model.law
    elif _plain(model):
        choice = model.encoder(x).float()
        law = _gaussian_of
    else:
        raise TypeError(f"What {type(model).__name__}'s encoder could have said is not known here.")
    return {"choice": choice}, lambda parameters, shape: _drawn(law(parameters["choice"]), shape)


def _gaussian_of(choice: Tensor) -> td.Distribution:
    mean, log_variance = choice.chunk(2, -1)
    return gaussian(mean, (0.5 * log_variance).exp())


def _drawn(law, shape) -> tuple[Tensor, Tensor]:
    if hasattr(law, "sample_with_log_prob"):
        return law.sample_with_log_prob(shape)
    z = law.rsample(shape)
    return z, law.log_prob(z)


def _diagonal(parameters: dict[str, Tensor], shape) -> tuple[Tensor, Tensor]:
    return _drawn(gaussian(parameters["mean"], parameters["log_std"].exp()), shape)


def _full(parameters: dict[str, Tensor], shape) -> tuple[Tensor, Tensor]:
    mean, log_std = parameters["mean"], parameters["log_std"]
    noise = gaussian(torch.zeros_like(mean), torch.ones_like(mean))
    epsilon = noise.sample(shape)
    bent = torch.einsum("nij,...nj->...ni", parameters["below"].tril(-1), epsilon)
    z = mean + epsilon * log_std.exp() + bent
    return z, noise.log_prob(epsilon) - log_std.sum(-1)


def _bent(flow: Flow, parameters: dict[str, Tensor], shape) -> tuple[Tensor, Tensor]:
    """The full Gaussian, in its own coordinates first bent by each image's couplings."""
    mean, log_std = parameters["mean"], parameters["log_std"]
    noise = gaussian(torch.zeros_like(mean), torch.ones_like(mean))
    epsilon = noise.sample(shape)
    own = {name: parameters[name] for name, _ in flow.named_parameters()}
    along = vmap(lambda one, z: functional_call(flow, one, (z,)), (0, -2), (-2, -1))
    u, log_det = along(own, epsilon)
    z = mean + u * log_std.exp()
    z = z + torch.einsum("nij,...nj->...ni", parameters["below"].tril(-1), u)
    return z, noise.log_prob(epsilon) - log_std.sum(-1) - log_det
