"""Few digits: log det Cov q(z) along training, ELBO against MMD, 500 to 50,000 images, five seeds.

Five latents, equal steps whatever the number of images; α = 1, λ = 1,000 where "mmd" is trained;
"floor" is the ELBO with σ never below 0.2; "long" is the ELBO with four times the steps. Figures
carry the step: log_det_cov_400 is that of the training images' aggregate posterior after 400 steps,
log_det_test_400 that of test images, gain_400 the nats that rescaling z would save at once,
moment_400 the mean of E[μ² + σ²] over dimensions, and train_400 and test_400 the −ELBO, in nats, on
as many images of either.
"""

import time
from dataclasses import replace
from pathlib import Path

from vaeutil.aggregate import log_det_cov, posteriors, rescaling_gain, second_moments
from vaeutil.data import Images
from vaeutil.evaluation import elbo
from vaeutil.experiments import infovae
from vaeutil.experiments.parts import Outcome
from vaeutil.models import InfoVAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = infovae.CODE
DATA = "mnist"
CONFIG = {
    "model": {"latent": 5, "hidden": [100, 100]},
    "training": {"steps": 1_600, "batch": 64, "lr": 2e-3, "progress": False},
    "evaluation": {"marks": 8, "images": 500},
}
SMOKE = {"training": {"steps": 12, "batch": 32}, "evaluation": {"marks": 2, "images": 20}}
MODELS = {"elbo": {}, "mmd": {"alpha": 1.0, "lam": 1000.0}, "floor": {"floor": 0.2}, "long": {}}
RUNS = [
    *(
        {"kind": kind, "count": count, "seed": seed}
        for seed in range(5)
        for count in (500, 1_000, 50_000)
        for kind in ("elbo", "mmd")
    ),
    *({"kind": "floor", "count": 500, "seed": seed} for seed in range(5)),
    *({"kind": "long", "count": 500, "seed": seed} for seed in range(5)),
]
WEIGHTS: dict = {}


def run(
    images: Images, config: dict, checkpoint: Path, kind: str, count: int, seed: int
) -> Outcome:
    """Train one model on the first `count` training images, measuring it along the way.

    Not resumed: a checkpoint would lose what was measured before. Raises KeyboardInterrupt when the
    training was interrupted.
    """
    few = replace(images, train=images.train[:count], valid=images.valid[:100])
    with seeded(seed):
        model = InfoVAE(**config["model"], **MODELS[kind])
    settings, sizes = dict(config["training"]), config["evaluation"]
    settings["steps"] *= 4 if kind == "long" else 1
    figures: dict[str, float] = {}

    def measure(history):
        step = history.valid[-1][0]
        mean, std = posteriors(model, few.train[:2_000])
        figures[f"log_det_cov_{step}"] = log_det_cov(mean, std)
        figures[f"gain_{step}"] = rescaling_gain(mean, std)
        figures[f"moment_{step}"] = second_moments(mean, std).mean().item()
        figures[f"log_det_test_{step}"] = log_det_cov(*posteriors(model, few.test[:2_000]))
        for name, split in {"train": few.train, "test": few.test}.items():
            figures[f"{name}_{step}"] = -elbo(model, split[: sizes["images"]], k=5).mean

    every = settings["steps"] // sizes["marks"]
    history = fit(model, few, seed=seed, valid_every=every, watch=measure, **settings)
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    figures["training_seconds"] = history.seconds  # measuring included
    return Outcome(model, figures, {}, time.perf_counter() - start)
