"""How sharp a VAE's means and draws are, by decoder, by its σ, by posterior, and without a KL.

Ten latents, equal steps. Gaussian decoders on dequantised pixels, with σ fixed or learned; a
richer posterior (full covariance) for the learned σ; an autoencoder without KL and noise; on
binary pixels a Bernoulli decoder, and one whose pixels see the 24 before them. Test images. Nats;
gradient energies in grey levels² per image (vaeutil.sharpness). −ELBO by one posterior sample on
each of the first 5,000 images, NLL by 200 importance samples on each of the first 500; densities
of grey pixels and probabilities of binary ones do not compare.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.evaluation import elbo, nll
from vaeutil.experiments.parts import Outcome
from vaeutil.models import AE, VAE, Model
from vaeutil.models.causal import CausalVAE
from vaeutil.models.full import FullVAE, full_kl
from vaeutil.seeding import seeded
from vaeutil.sharpness import fine_share, gradient_energy
from vaeutil.training import fit

CODE = (
    "data/observe.py",
    "divergences.py",
    "evaluation.py",
    "models/ae.py",
    "models/base.py",
    "models/causal.py",
    "models/full.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
    "sharpness.py",
    "training.py",
)
DATA = "mnist"
CONFIG = {
    "model": {"latent": 10, "hidden": [80, 128]},
    "training": {"steps": 2_500, "batch": 128, "lr": 2e-3},
    "evaluation": {"images": 5_000, "draws": 1_000, "nll_images": 500, "nll_k": 200},
}
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"images": 20, "draws": 20, "nll_images": 10, "nll_k": 5},
}
SIGMAS = ("0.05", "0.1", "0.2", "0.4", "0.8")
KINDS = (*SIGMAS, "learned", "full-posterior", "autoencoder", "bernoulli", "causal")
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {
    f"blur-{kind}.safetensors": {"kind": kind, "seed": 0}
    for kind in ("0.05", "0.4", "0.8", "learned", "causal")
}


def build(kind: str, **sizes) -> Model:
    """The untrained model of a kind: one of KINDS."""
    if kind in SIGMAS:
        return VAE(**sizes, likelihood="gaussian", sigma=float(kind))
    return {
        "learned": lambda: VAE(**sizes, likelihood="gaussian"),
        "full-posterior": lambda: FullVAE(**sizes, likelihood="gaussian"),
        "autoencoder": lambda: AE(**sizes),
        "bernoulli": lambda: VAE(**sizes),
        "causal": lambda: CausalVAE(**sizes),
    }[kind]()


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind with this seed and measure it on the first test images.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = build(kind, **config["model"])
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    figures, errors = {"training_seconds": history.seconds}, {}
    with seeded(0), torch.no_grad():
        if isinstance(model, VAE):
            nats, errors = likelihoods(model, images, sizes)
            figures |= nats | of_samples(model, sizes["draws"])
        if not isinstance(model, CausalVAE):
            figures |= of_codes(model, images.test[: sizes["images"]].pixels)
    return Outcome(model, figures, errors, time.perf_counter() - start)


def likelihoods(model: VAE, images: Images, sizes: dict) -> tuple[dict, dict]:
    """Bound, rate, distortion and NLL, in nats, and the standard errors of two of them."""
    test = images.test[: sizes["images"]]
    bound = -elbo(model, test)
    log_p = nll(model, images.test[: sizes["nll_images"]], k=sizes["nll_k"])
    x = observe(test.pixels, model.observation, torch.Generator().manual_seed(0))
    q = model.posterior(x)
    rate = (full_kl(q) if isinstance(model, FullVAE) else gaussian_kl(q.mean, q.stddev)).mean()
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate.item(),
        "distortion": bound.mean - rate.item(),
        "nll": log_p.mean,
    }
    if hasattr(model, "log_sigma"):
        figures["sigma"] = model.log_sigma.exp().item()
    return figures, {"negative_elbo": bound.stderr, "nll": log_p.stderr}


def of_samples(model: VAE, draws: int) -> dict[str, float]:
    """Gradient energy and fine share of draws from the model and, where it has them, of means."""
    law = model.likelihood(model.prior.sample((draws,)))
    x = law.sample()
    figures = {"energy_draw": gradient_energy(x).mean().item(), "fine_draw": fine_share(x)}
    if not isinstance(model, CausalVAE):
        figures["energy_mean"] = gradient_energy(law.mean).mean().item()
        figures["fine_mean"] = fine_share(law.mean)
    return figures


def of_codes(model: Model, pixels: torch.Tensor) -> dict[str, float]:
    """Test images against their decoded codes (a posterior sample, where there is a posterior).

    energy_real: of the images; energy_code: of the decoded codes; energy_rest: of what those miss;
    mse: mean squared error of a pixel.
    """
    x = observe(pixels, model.observation, torch.Generator().manual_seed(0))
    z = model.posterior(x).sample() if isinstance(model, VAE) else model.encode(x)
    mean = model.decode(z)
    return {
        "energy_real": gradient_energy(x).mean().item(),
        "energy_code": gradient_energy(mean).mean().item(),
        "energy_rest": gradient_energy(x - mean).mean().item(),
        "fine_real": fine_share(x),
        "fine_code": fine_share(mean),
        "mse": (x - mean).square().mean().item(),
    }
