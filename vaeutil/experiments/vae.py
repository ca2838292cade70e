"""The VAE of chapter 5 on all of MNIST, over five seeds."""

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
