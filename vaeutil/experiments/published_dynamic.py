"""Published recipes on MNIST binarised anew at each use, as far as a CPU takes them.

"burda": the one-layer VAE of the IWAE paper; in the full profile by its whole schedule of 3,280
epochs, otherwise by the first five of its eight stages, 121 epochs, and its IWAE with k = 5 and 50
in the full profile only. Trained on 60,000 images, the validation images among them, as there.
Nats.
"""

from dataclasses import replace
from pathlib import Path

import torch

from vaeutil.data import Images, Split
from vaeutil.experiments import recipes
from vaeutil.experiments.parts import Outcome

CODE = recipes.CODE
DATA = "mnist"
CONFIG = {
    "recipes": {"burda": recipes.burda(5, 60_000)},
    "evaluation": {"images": 10_000, "k": 500, "few": 1_000, "many_k": 5_000},
}
SMOKE = {
    "recipes": {"burda": {**recipes.burda(2, 60_000), "schedule": [[3, 1e-3], [3, 1e-4]]}},
    "evaluation": {"images": 20, "k": 20, "few": 5, "many_k": 40},
}
FULL_RECIPES = {
    "burda": recipes.burda(8, 60_000),
    "burda-iwae5": recipes.burda(8, 60_000, k=5),
    "burda-iwae50": recipes.burda(8, 60_000, k=50),
}
RUNS = [{"recipe": name, "seed": 0} for name in CONFIG["recipes"]]
WEIGHTS = {f"published_dynamic-{run['recipe']}.safetensors": run for run in RUNS}
FULL = {
    "config": {"recipes": FULL_RECIPES, "evaluation": {"few": 10_000}},
    "runs": [{"recipe": name, "seed": 0} for name in FULL_RECIPES],
}


def run(images: Images, config: dict, checkpoint: Path, recipe: str, seed: int) -> Outcome:
    """Train by the recipe of this name and measure: see `recipes.run`."""
    known = config["recipes"][recipe]
    return recipes.run(with_all(images), known, config["evaluation"], checkpoint, seed)


def with_all(images: Images) -> Images:
    """The images with those for validation among those for training."""
    both = (images.train, images.valid)
    pixels, labels = (torch.cat([getattr(s, part) for s in both]) for part in ("pixels", "labels"))
    return replace(images, train=Split(pixels, labels))
