"""Time to quality: seconds of training to a test −ELBO of 100 nats, by a recipe fixed in steps."""

from vaeutil.bench.rates import device
from vaeutil.data import Images
from vaeutil.evaluation import elbo
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

TARGET = 100.0
MODEL = {"latent": 20, "hidden": (400, 400)}
RECIPE = {"steps": 2_000, "batch": 128, "lr": 3e-3, "seed": 0}


def measure(images: Images) -> dict:
    """Train by the recipe; {"seconds", "negative_elbo", "stderr", "reached", …}.

    The seconds are those of `fit`, its ten looks at the validation images included.
    """
    with seeded(RECIPE["seed"]):
        model = VAE(**MODEL)
    history = fit(model, images, **RECIPE, device=device(), progress=False)
    bound = -elbo(model, images.test)
    return {
        "model": {**MODEL, "hidden": list(MODEL["hidden"])},
        "recipe": RECIPE,
        "target": TARGET,
        "seconds": history.seconds,
        "negative_elbo": bound.mean,
        "stderr": bound.stderr,
        "test_images": len(images.test),
        "reached": bound.mean <= TARGET,
    }
