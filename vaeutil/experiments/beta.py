"""The β-VAE of chapter 8 at seven values of β, over five seeds each.

Dynamic binarisation; −ELBO (unweighted) by one sample on each of the 10,000 test images, rate and
distortion are its two parts; NLL by 200 importance samples on each of the first 500. Figures in
nats. Runs with the same seed start from the same weights and see the same batches.
"""

import time
from pathlib import Path

from vaeutil.data import Images
from vaeutil.evaluation import active_units, elbo, nll
from vaeutil.experiments.likelihood import CODE as PLAIN
from vaeutil.experiments.likelihood import SMOKE, mean_kl
from vaeutil.experiments.parts import Outcome
from vaeutil.models import BetaVAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

CODE = (*PLAIN, "models/beta.py")
DATA = "mnist"
CONFIG = {
    "model": {"latent": 10, "hidden": [80, 80]},
    "training": {"steps": 3_000, "batch": 128, "lr": 2e-3},
    "evaluation": {"elbo_images": 10_000, "nll_images": 500, "nll_k": 200},
}
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
RUNS = [{"beta": beta, "seed": seed} for seed in range(5) for beta in BETAS]
# The page shows these six; 80 units a layer keep them small.
WEIGHTS = {f"beta-{beta:g}.safetensors": {"beta": beta, "seed": 0} for beta in BETAS[:-1]}


def run(images: Images, config: dict, checkpoint: Path, beta: float, seed: int) -> Outcome:
    """Train one model at this price with this seed, and measure it without price.

    Figures and errors as in `likelihood.run`. Raises KeyboardInterrupt when the training was
    interrupted.
    """
    with seeded(seed):
        model = BetaVAE(**config["model"], beta=beta)
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    test = images.test[: sizes["elbo_images"]]
    bound = -elbo(model, test)
    likelihood = nll(model, images.test[: sizes["nll_images"]], k=sizes["nll_k"])
    rate = mean_kl(model, test)
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate,
        "distortion": bound.mean - rate,
        "nll": likelihood.mean,
        "active_units": active_units(model, test).count,
        "training_seconds": history.seconds,
    }
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr}
    return Outcome(model, figures, errors, time.perf_counter() - start)
