"""InfoVAE of chapter 16 on a grid of α and λ, two latents, over five seeds each.

Small networks (30, 30), so that all nine of a seed fit on a page; α = 0, λ = 1 is the plain VAE and
the control of all others. Dynamic binarisation; −ELBO by one sample on each of the first 4,000 test
images. Mutual information and aggregate KL among the first 2,000, in nats, so the first is at most
log 2,000 = 7.6; MMD² without unit, Gaussian kernel of bandwidth 1, prior in closed form.
"""

import math
import time
from pathlib import Path

import torch

from vaeutil.aggregate import log_det_cov, mixture_log_prob, posteriors, rescaling_gain
from vaeutil.data import Images, Split, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.evaluation import elbo
from vaeutil.experiments.parts import Outcome
from vaeutil.experiments.variant import CODE as COMMON
from vaeutil.mmd import normal_mmd2
from vaeutil.models import VAE, InfoVAE
from vaeutil.models.likelihoods import gaussian
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (*COMMON, "aggregate.py", "mmd.py", "models/causal.py", "models/infovae.py")
DATA = "mnist"
CONFIG = {
    "model": {"latent": 2, "hidden": [30, 30]},
    "training": {
        "steps": 1_200, "batch": 128, "lr": 2e-3, "valid_every": 1_200, "progress": False,
    },
    "evaluation": {"elbo_images": 4_000, "information_images": 2_000, "nll_images": 200,
                   "nll_k": 100},
}  # fmt: skip
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"elbo_images": 20, "information_images": 20, "nll_images": 5, "nll_k": 5},
}
ALPHAS = (0.0, 0.5, 1.0)
LAMBDAS = (1.0, 100.0, 1000.0)
RUNS = [
    {"alpha": alpha, "lam": lam, "seed": seed}
    for seed in range(5)
    for alpha in ALPHAS
    for lam in LAMBDAS
]
WEIGHTS = {
    f"infovae-{alpha:g}-{lam:g}.safetensors": {"alpha": alpha, "lam": lam, "seed": 0}
    for alpha in ALPHAS
    for lam in LAMBDAS
}
WIDTHS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)  # of the proposals, in σ


def run(
    images: Images, config: dict, checkpoint: Path, alpha: float, lam: float, seed: int
) -> Outcome:
    """Train InfoVAE at these prices with this seed; figures as `measure` gives them.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = InfoVAE(**config["model"], alpha=alpha, lam=lam)
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    figures, errors = measure(model, images.test, config["evaluation"])
    figures["training_seconds"] = history.seconds
    return Outcome(model, figures, errors, time.perf_counter() - start)


def measure(model: VAE, test: Split, sizes: dict) -> tuple[dict, dict]:
    """Figures and standard errors of one model on the first images of `test`; nats, but for mmd2.

    negative_elbo; rate and distortion, its parts; mutual_information and aggregate_kl, the rate's
    parts among information_images; mmd2 of their draws; log_det_cov and rescaling_gain of their
    aggregate posterior; mean_std, the geometric mean of σ; nll, `widened_nll`, and width.
    """
    few = test[: sizes["information_images"]]
    bound = -elbo(model, test[: sizes["elbo_images"]])
    rate = gaussian_kl(*posteriors(model, test[: sizes["elbo_images"]])).mean().item()
    mean, std = posteriors(model, few)
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate,
        "distortion": bound.mean - rate,
        **rate_in_two(mean, std),
        "log_det_cov": log_det_cov(mean, std),
        "rescaling_gain": rescaling_gain(mean, std),
        "mean_std": std.log().mean().exp().item(),
    }
    likelihood = widened_nll(model, test[: sizes["nll_images"]], sizes["nll_k"])
    return figures | likelihood, {"negative_elbo": bound.stderr}


def rate_in_two(mean, std, seed: int = 0) -> dict[str, float]:
    """Mutual information and aggregate KL of N Gaussians [N, d], by one draw of each, and MMD²."""
    with seeded(seed):
        noise = torch.randn_like(mean)
    z = mean + std * noise
    own = (-0.5 * noise.square() - std.log()).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    mixture, prior = mixture_log_prob(z, mean, std), gaussian(0 * z, 0 * z + 1).log_prob(z)
    return {
        "mutual_information": (own - mixture).mean().item(),
        "aggregate_kl": (mixture - prior).mean().item(),
        "mmd2": normal_mmd2(z, 1.0).item(),
    }


@torch.inference_mode()
def widened_nll(model: VAE, split: Split, k: int, seed: int = 0) -> dict[str, float]:
    """nll in nats by k importance samples of N(μ, (width · σ)²), at the best of WIDTHS; width.

    Each width gives a bound of −log p(x), in expectation from above, so the least is the tightest:
    a posterior that is too narrow, as without a KL, makes the plain one (width 1) loose.
    """
    x = observe(split.pixels, model.observation, torch.Generator().manual_seed(seed))
    found = {}
    for width in WIDTHS:
        values = []
        with seeded(seed):
            for part in x.split(20):
                q = model.posterior(part)
                wide = gaussian(q.mean, width * q.stddev)
                z = wide.sample((k,))
                joint = model.likelihood(z).log_prob(part) + model.prior.log_prob(z)
                values.append(math.log(k) - (joint - wide.log_prob(z)).double().logsumexp(0))
        found[width] = torch.cat(values).mean().item()
    best = min(found, key=found.get)
    return {"nll": found[best], "width": best}
