"""The welcome page's model: a two-dimensional VAE small enough to travel with the page.

Dynamic binarisation; −ELBO by one sample on each of the 10,000 test images, NLL by 500 importance
samples on each of the first 1,000. Figures in nats.
"""

from vaeutil.experiments.likelihood import CODE, SMOKE, run

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

DATA = "mnist"
CONFIG = {
    "model": {"latent": 2, "hidden": [200, 200, 200]},
    "training": {"steps": 12_000, "batch": 128, "lr": 2e-3},
    "evaluation": {"elbo_images": 10_000, "nll_images": 1_000, "nll_k": 500},
}
# One seed: this is a picture, not a comparison.
RUNS = [{"seed": 0}]
WEIGHTS = {"hero.safetensors": {"seed": 0}}
