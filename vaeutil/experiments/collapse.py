"""Posterior collapse and its remedies: deep networks, and pixels that see pixels, over five seeds.

Two ways to a small rate. "deep" is the common VAE with eight hidden layers in the place of two;
"visible" the common VAE whose pixels see all the pixels before them. Each by itself and with a
remedy: warm-up (the price of the rate rises from 0 to 1 over the first half of training), free
bits (half a nat for each of the ten dimensions), a weaker decoder (two hidden layers behind the
deep encoder; pixels that see 28 before them). "shallow" is the common VAE, the control. The common
recipe of `variant`; besides its figures the rate and the distortion, in nats, whose sum is −ELBO.
"""

from pathlib import Path

from vaeutil.data import Images
from vaeutil.experiments import variant
from vaeutil.experiments.likelihood import mean_kl
from vaeutil.experiments.parts import Outcome
from vaeutil.models.warm import WarmVAE
from vaeutil.seeding import seeded

CODE = (
    *variant.CODE,
    "experiments/likelihood.py",
    "models/beta.py",
    "models/visible.py",
    "models/warm.py",
)
DATA = "mnist"
CONFIG = {
    "latent": variant.NETWORK["latent"],
    "shallow": {"hidden": variant.NETWORK["hidden"]},
    "deep": {"hidden": [100] * 8},
    "visible": {"hidden": variant.NETWORK["hidden"], "reach": 783},
    "training": variant.TRAINING,
    "evaluation": variant.EVALUATION,
}
SMOKE = variant.SMOKE
REMEDIES = {
    "": {},
    "-warm": {"warmup": 1_000},
    "-free": {"free_bits": 0.5},
    "-weak": {"deep": {"decoder_hidden": [100, 100]}, "visible": {"reach": 28}},
}
KINDS = ("shallow", *(base + remedy for base in ("deep", "visible") for remedy in REMEDIES))
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {"collapse-deep.safetensors": {"kind": "deep", "seed": 0}}


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind by the common recipe; figures and errors as `variant.run`.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    base, _, name = kind.partition("-")
    remedy = REMEDIES[f"-{name}" if name else ""]
    with seeded(seed):
        model = WarmVAE(config["latent"], **config[base] | remedy.get(base, remedy))
    outcome = variant.run(model, images, config, checkpoint, seed)
    rate = mean_kl(model, images.test[: config["evaluation"]["elbo_images"]])
    outcome.figures["rate"] = rate
    outcome.figures["distortion"] = outcome.figures["negative_elbo"] - rate
    return outcome
