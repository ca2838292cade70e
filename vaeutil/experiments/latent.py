"""How many latent dimensions: 2 to 40, for two lengths of training, over five seeds.

One architecture, batch and learning rate for all, so an equal number of steps is an equal number
of images seen. Dynamic binarisation; −ELBO by one sample on each of the 10,000 test images, NLL by
200 importance samples on each of the first 500. Figures in nats; kl_1, kl_2, … are the mean KL of
each dimension to the prior, the largest first.
"""

from pathlib import Path

import torch

from vaeutil.data import Images, Split, observe
from vaeutil.experiments import likelihood
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

DATA = "mnist"
CODE = likelihood.CODE
CONFIG = {
    "model": {"hidden": [200, 200]},
    "training": {"batch": 128, "lr": 2e-3},
    "evaluation": {"elbo_images": 10_000, "nll_images": 500, "nll_k": 200},
}
SMOKE = {
    "training": {"steps": 2, "batch": 32},
    "evaluation": {"elbo_images": 20, "nll_images": 10, "nll_k": 5},
}
LATENTS = (2, 5, 10, 20, 40)
STEPS = (1_000, 4_000)
RUNS = [
    {"latent": latent, "steps": steps, "seed": seed}
    for steps in STEPS
    for seed in range(5)
    for latent in LATENTS
]
WEIGHTS = {
    "latent-10.safetensors": {"latent": 10, "steps": 4_000, "seed": 0},
    "latent-20.safetensors": {"latent": 20, "steps": 4_000, "seed": 0},
}


def run(
    images: Images, config: dict, checkpoint: Path, latent: int, steps: int, seed: int
) -> Outcome:
    """Train a VAE of `latent` dimensions for `steps` steps; `likelihood.run` says what is measured.

    A configuration that names a number of steps itself (that of the smoke profile) has its way.
    """
    outcome = likelihood.run(
        images,
        {
            "model": {"latent": latent, **config["model"]},
            "training": {"steps": steps, **config["training"]},
            "evaluation": config["evaluation"],
        },
        checkpoint,
        seed,
    )
    kl = kl_of_units(outcome.model, images.test[: config["evaluation"]["elbo_images"]])
    spectrum = kl.sort(descending=True).values.tolist()
    outcome.figures.update({f"kl_{place}": value for place, value in enumerate(spectrum, 1)})
    return outcome


@torch.inference_mode()
def kl_of_units(model: VAE, split: Split) -> torch.Tensor:
    """KL(q(z_j | x) ‖ N(0, 1)) of each latent dimension, [latent], mean over images, in nats.

    Images are observed as `vaeutil.evaluation.elbo` observes them. The sum is the rate.
    """
    x = observe(split.pixels, model.observation, torch.Generator().manual_seed(0))
    total = torch.zeros(model.latent, dtype=torch.float64)
    for part in x.split(1_000):
        q = model.posterior(part.to(model.device))
        kl = 0.5 * (q.mean.square() + q.variance - 1 - q.variance.log())
        total += kl.double().sum(0).cpu()
    return total / len(x)
