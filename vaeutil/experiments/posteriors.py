"""Flow posteriors of chapter 13 beside the plain VAE, and the gap split in two.

The common recipe of `variant`, over five seeds: a Gaussian posterior; the same with a wider
encoder, as large as the encoder and the flow of "coupling" together; planar (4 layers), coupling
(4) and autoregressive (2) flows. All runs of a seed begin with the same decoder and see the same
batches. For "gaussian" and "coupling" q is refined for single images, by `refine.split`:
bound_encoder, bound_own, bound_diagonal, bound_full, bound_flow and log_p are means over the
first split images of the test set, in nats. "gaussian-2" and "coupling-2" have two latent
dimensions and smaller networks; the page shows them.
"""

from pathlib import Path

from vaeutil.data import Images
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE, FlowVAE
from vaeutil.nets import mlp_encoder
from vaeutil.refine import split
from vaeutil.seeding import seeded

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

CODE = (
    *variant.CODE,
    "flows/compose.py",
    "flows/layers.py",
    "importance.py",
    "models/flow.py",
    "refine.py",
)
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "small": {"latent": 2, "hidden": [64, 64]},
    "wide": {"hidden": [118, 100]},
    "planar": {"flow": "planar", "depth": 4},
    "coupling": {"flow": "coupling", "depth": 4},
    "autoregressive": {"flow": "autoregressive", "depth": 2},
    "training": variant.TRAINING,
    "evaluation": variant.EVALUATION,
    "split": {"images": 48, "k": 2_000, "k_bound": 500, "steps": 250, "draws": 8},
}
SMOKE = variant.SMOKE | {"split": {"images": 3, "k": 5, "k_bound": 5, "steps": 2, "draws": 2}}
KINDS = ("gaussian", "wide", "planar", "coupling", "autoregressive")
SPLIT = ("gaussian", "coupling")
RUNS = [
    {"kind": "gaussian-2", "seed": 0},
    {"kind": "coupling-2", "seed": 0},
    *({"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS),
]
WEIGHTS = {
    f"posteriors-{kind}.safetensors": {"kind": kind, "seed": 0}
    for kind in ("gaussian", "gaussian-2", "coupling-2")
}


def make(config: dict, kind: str) -> VAE:
    """The model of this kind, its random weights drawn from where the generator stands."""
    name, _, small = kind.partition("-")
    network = config["small"] if small else config["model"]
    if name in ("planar", "coupling", "autoregressive"):
        return FlowVAE(**network, **config[name])
    model = VAE(**network)
    if name == "wide":
        model.encoder = mlp_encoder(2 * network["latent"], config["wide"]["hidden"])
    return model


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model with this seed, measure it as every variant, and split its gap.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = make(config, kind)
    outcome = variant.run(model, images, config, checkpoint, seed)
    if kind in SPLIT:
        sizes = dict(config["split"])
        found = split(model, images.test[: sizes.pop("images")], **sizes)
        outcome.figures["log_p"] = found.pop("log p").mean().item()
        for name, values in found.items():
            outcome.figures[f"bound_{name}"] = values.mean().item()
    return outcome
