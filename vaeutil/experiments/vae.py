"""The VAE of chapter 5 on all of MNIST, over five seeds.

Dynamic binarisation; −ELBO by one sample on each of the 10,000 test images, NLL by 500 importance
samples on each of the first 1,000. Figures in nats.
"""

from vaeutil.experiments.likelihood import CODE, SMOKE, run

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

DATA = "mnist"
CONFIG = {
    "model": {"latent": 20, "hidden": [500, 500]},
    "training": {"steps": 5_000, "batch": 128, "lr": 2e-3},
    "evaluation": {"elbo_images": 10_000, "nll_images": 1_000, "nll_k": 500},
}
RUNS = [{"seed": seed} for seed in range(5)]
WEIGHTS = {"vae.safetensors": {"seed": 0}}
