"""A GAN whose generator is the VAE's decoder, against that VAE, by samples: five seeds.

Ten latents. The VAE by the common recipe (vaeutil.experiments.variant); the GAN measured on its
way, at several numbers of steps, its generator averaged. Sets of images are compared in the
features of the book's classifier, `images` of each set: grey ones (the GAN's images, the VAE's
means) with test images; draws (black and white, each pixel tossed with the grey level, for the VAE
a draw of its model) with test images tossed alike; real_…: validation images with test images.
asked_…: the final generator as the decoder of a VAE, its logits scaled by one learned factor, with
a new encoder. Nats; energy: grey levels² an image; processor seconds of one thread for training
(for the VAE a lower bound: from those of the whole run, the wall time of the evaluation is taken
off).
"""

import copy
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from vaeutil.adversarial import Game
from vaeutil.classifier import CLASSES, load_classifier
from vaeutil.data import Images, observe
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.fidelity import frechet_distance, kid, precision_recall
from vaeutil.models import GAN, VAE, Model
from vaeutil.seeding import seeded
from vaeutil.sharpness import gradient_energy

CODE = (
    *variant.CODE,
    "adversarial.py",
    "classifier.py",
    "fidelity.py",
    "models/gan.py",
    "sharpness.py",
)
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "critic": {"critic": [200, 100], "penalty": 2.0},
    "training": variant.TRAINING,
    "game": {"marks": [1_500, 3_000, 6_000], "batch": 64, "lr": 1e-3, "critic_lr": 1e-3},
    "asked": {**variant.TRAINING, "steps": 1_000},
    "evaluation": {**variant.EVALUATION, "images": 2_000, "block": 500},
}
SMOKE = {
    "training": {"steps": 10},
    "game": {"marks": [3, 6]},
    "asked": {"steps": 5},
    "evaluation": {**variant.SMOKE["evaluation"], "images": 40, "block": 20},
}
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in ("gan", "vae")]
WEIGHTS = {f"gan-{kind}.safetensors": {"kind": kind, "seed": 0} for kind in ("gan", "vae")}


class Scale(nn.Module):
    """Multiplies by one learned positive number."""

    def __init__(self):
        super().__init__()
        self.log_factor = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * self.log_factor.exp()


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind with this seed and measure its samples.

    Raises KeyboardInterrupt when the training of a VAE was interrupted.
    """
    if kind == "vae":
        return _run_vae(images, config, checkpoint, seed)
    with seeded(seed):
        model = GAN(**config["model"], **config["critic"])
    game = dict(config["game"])
    marks, figures, spent, measuring = game.pop("marks"), {}, 0.0, 0.0
    players = Game(model, images, seed=seed, progress=False, **game)
    for mark in marks:
        began = time.process_time()
        players.play(mark - players.step)
        spent += time.process_time() - began
        start = time.perf_counter()
        model = players.averaged()
        figures |= {
            f"at_{mark}_{name}": value for name, value in of_samples(model, images, config).items()
        }
        figures[f"at_{mark}_processor_seconds"] = spent
        measuring += time.perf_counter() - start
    asked = ask(model, images, config, seed)
    figures |= {f"asked_{name}": asked.figures[name] for name in ("negative_elbo", "nll", "gap")}
    figures |= {
        "asked_factor": asked.model.decoder[-1].log_factor.exp().item(),
        "generator_parameters": sum(p.numel() for p in model.decoder.parameters()),
        "critic_parameters": sum(p.numel() for p in model.discriminator.parameters()),
        "training_seconds": players.history.seconds,
    }
    return Outcome(model, figures, {}, measuring + asked.seconds)


def _run_vae(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    with seeded(seed):
        model = VAE(**config["model"])
    began = time.process_time()
    outcome = variant.run(model, images, config, checkpoint, seed)
    # On a busy machine the evaluation's wall time is more than it took of the processor.
    seconds = time.process_time() - began - outcome.seconds
    start = time.perf_counter()
    figures = outcome.figures | of_samples(model, images, config)
    figures |= of_real(images, config, seed) | {"processor_seconds": seconds}
    return Outcome(model, figures, outcome.errors, outcome.seconds + time.perf_counter() - start)


def ask(model: GAN, images: Images, config: dict, seed: int) -> Outcome:
    """The figures of a VAE with this generator: only an encoder and one factor are trained."""
    with seeded(seed):
        asked = VAE(**config["model"])
    asked.decoder = nn.Sequential(*copy.deepcopy(model.decoder).requires_grad_(False), Scale())
    asked.fresh = False  # the generator's bias stays as it is
    return variant.run(asked, images, {**config, "training": config["asked"]}, None, seed)


@torch.no_grad()
def of_samples(model: Model, images: Images, config: dict) -> dict[str, float]:
    """How the model's images, as many as test images, compare with those."""
    sizes = config["evaluation"]
    with seeded(0):
        grey = model.sample(sizes["images"])
        draws = torch.bernoulli(grey)
    digits = load_classifier().probabilities(grey).argmax(-1)
    shares = torch.bincount(digits, minlength=CLASSES) / len(digits)
    return {
        **compare(grey, images, "grey", sizes),
        **{f"draw_{name}": v for name, v in compare(draws, images, "binary", sizes).items()},
        "rarest_digit": shares.min().item(),
        "energy": gradient_energy(grey).mean().item(),
        "draw_energy": gradient_energy(draws).mean().item(),
    }


def of_real(images: Images, config: dict, seed: int) -> dict[str, float]:
    """The floor: validation images, other ones for each seed, in the place of samples."""
    sizes = config["evaluation"]
    order = torch.randperm(len(images.valid), generator=torch.Generator().manual_seed(seed))
    pixels = images.valid.pixels[order[: sizes["images"]]]
    figures = {"real_energy": gradient_energy(observe(pixels, "grey")).mean().item()}
    for kind, prefix in (("grey", "real_"), ("binary", "real_draw_")):
        x = observe(pixels, kind, torch.Generator().manual_seed(seed))
        figures |= {prefix + name: v for name, v in compare(x, images, kind, sizes).items()}
    return figures


def compare(x: Tensor, images: Images, kind: str, sizes: dict) -> dict[str, float]:
    """precision, recall, kid and frechet of x [n, 784] against as many test images."""
    judge, rng = load_classifier(), torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(images.test), generator=rng)[: len(x)]
    real = judge.features(observe(images.test.pixels[chosen], kind, rng))
    fake = judge.features(x)
    shares = precision_recall(real, fake)
    return {
        "precision": shares.precision,
        "recall": shares.recall,
        "kid": kid(real, fake, sizes["block"]).mean,
        "frechet": frechet_distance(real, fake),
    }
