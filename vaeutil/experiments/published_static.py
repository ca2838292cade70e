"""Published recipes on the fixed binarisation of MNIST, as far as a CPU takes them.

"burda": the one-layer VAE of the IWAE paper; in the full profile by its whole schedule of 3,280
epochs, otherwise by the first five of its eight stages, 121 epochs. "jaanli": the mean-field VAE of
the repository jaanli/variational-autoencoder, whole, but that its posterior's scale is exp here
where it is softplus there. "pythae": the VAE of pythae's table, 500 epochs, in the full profile
only. Nats.
"""

from pathlib import Path

from vaeutil.data import Images
from vaeutil.experiments import recipes
from vaeutil.experiments.parts import Outcome

CODE = recipes.CODE
DATA = "binarized-mnist"
JAANLI = {
    "model": {"latent": 128, "hidden": [256, 256], "k": 1, "activation": "relu"},
    "optimiser": {"name": "rmsprop", "centered": True},
    "batch": 128,
    "schedule": [[30_000, 1e-3]],
}
PYTHAE = {  # the milestones at 750 and 1,000 epochs come after its end
    "model": {"latent": 40, "hidden": [400], "k": 1, "activation": "relu"},
    "optimiser": {"name": "adam"},
    "batch": 100,
    "schedule": [[100_000, 1e-4], [75_000, 1e-4 * 10**-0.2], [75_000, 1e-4 * 10**-0.4]],
}
CONFIG = {
    "recipes": {"jaanli": JAANLI, "burda": recipes.burda(5, 50_000)},
    "evaluation": {"images": 10_000, "k": 500, "few": 1_000, "many_k": 5_000},
}
SHORT = {"schedule": [[3, 1e-3], [3, 1e-4]]}
SMOKE = {
    "recipes": {"jaanli": {**JAANLI, **SHORT}, "burda": {**recipes.burda(2, 50_000), **SHORT}},
    "evaluation": {"images": 20, "k": 20, "few": 5, "many_k": 40},
}
FULL_RECIPES = {"jaanli": JAANLI, "burda": recipes.burda(8, 50_000), "pythae": PYTHAE}
RUNS = [{"recipe": name, "seed": 0} for name in CONFIG["recipes"]]
WEIGHTS = {f"published_static-{run['recipe']}.safetensors": run for run in RUNS}
FULL = {
    "config": {"recipes": FULL_RECIPES, "evaluation": {"few": 10_000}},
    "runs": [{"recipe": name, "seed": 0} for name in FULL_RECIPES],
}


def run(images: Images, config: dict, checkpoint: Path, recipe: str, seed: int) -> Outcome:
    """Train by the recipe of this name and measure: see `recipes.run`."""
    return recipes.run(images, config["recipes"][recipe], config["evaluation"], checkpoint, seed)
