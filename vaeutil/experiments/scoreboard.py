"""Every variant at one network, one likelihood and one budget, over five paired seeds.

The common recipe (vaeutil.experiments.variant): ten latents, two hidden layers of 100 units, black
and white pixels, 256,000 images seen (2,000 steps of 128; the GAN 4,000 of 64). Two models have no
density: the autoencoder, on grey pixels with a squared error, and the GAN. Evaluated alike, on test
images binarised once: see `run`. Nats.
"""

import math
import time
from pathlib import Path

import torch
from torch import Tensor

from vaeutil import evaluation
from vaeutil.adversarial import Game
from vaeutil.classifier import load_classifier
from vaeutil.conditional import class_log_likelihoods, elbo_given, probe
from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import Estimate
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.fidelity import kid
from vaeutil.mmd import imq_scales, mmd2
from vaeutil.models import (
    AE,
    CVAE,
    GAN,
    IWAE,
    VAE,
    AuxiliaryVAE,
    BetaVAE,
    BinaryFVAE,
    FlowVAE,
    InfoVAE,
    Model,
    PriorVAE,
)
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (
    *variant.CODE,
    "adversarial.py",
    "classifier.py",
    "conditional.py",
    "fidelity.py",
    "flows/compose.py",
    "flows/layers.py",
    "mmd.py",
    "models/ae.py",
    "models/auxiliary.py",
    "models/beta.py",
    "models/binary_fvae.py",
    "models/cvae.py",
    "models/flow.py",
    "models/fvae.py",
    "models/gan.py",
    "models/infovae.py",
    "models/iwae.py",
    "models/priors.py",
)
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": variant.TRAINING,
    "game": {"steps": 4_000, "batch": 64},
    "evaluation": {
        "images": 10_000, "k": 500, "few": 1_000, "many_k": 5_000, "codes": 5_000, "draws": 4_000,
        "block": 500, "labels": 5_000,
    },
}  # fmt: skip
SMOKE = {
    "training": {"steps": 10},
    "game": {"steps": 6},
    "evaluation": {
        "images": 50, "k": 20, "few": 5, "many_k": 50, "codes": 40, "draws": 40, "block": 20,
        "labels": 400,
    },
}  # fmt: skip
# What each variant adds to the network; the sizes are those of the chapters.
KINDS = {
    "ae": AE,
    "vae": VAE,
    "beta": lambda **sizes: BetaVAE(**sizes, beta=4.0),
    "iwae": lambda **sizes: IWAE(**sizes, k=5),
    "auxiliary": lambda **sizes: AuxiliaryVAE(**sizes, auxiliary=2),
    "planar": lambda **sizes: FlowVAE(**sizes, flow="planar", depth=4),
    "coupling": lambda **sizes: FlowVAE(**sizes, flow="coupling", depth=4),
    "mixture": lambda **sizes: PriorVAE(**sizes, prior="mixture"),
    "vamp": lambda **sizes: PriorVAE(**sizes, prior="vamp"),
    "flow-prior": lambda **sizes: PriorVAE(**sizes, prior="flow"),
    "fvae": BinaryFVAE,
    "infovae": lambda **sizes: InfoVAE(**sizes, alpha=1.0, lam=1_000.0),
    "cvae": CVAE,
    "gan": lambda **sizes: GAN(**sizes, critic=(200, 100)),
}
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {f"scoreboard-{kind}.safetensors": {"kind": kind, "seed": 0} for kind in KINDS}


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind with this seed, and measure what can be measured of it.

    Figures: parameters (all that are trained), processor_seconds of the training (all threads);
    those of `of_density`, `of_codes` and `of_samples`, where the model has a density, an encoder, a
    way to draw images. Errors: standard errors of the means over images or blocks of them, for
    this model. Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = KINDS[kind](**config["model"])
    began = time.process_time()
    model = train(model, images, config, checkpoint, seed)
    spent = time.process_time() - began
    start = time.perf_counter()
    trained = [p for p in model.parameters() if p.requires_grad]
    figures = {"parameters": sum(map(torch.numel, trained)), "processor_seconds": spent}
    errors: dict[str, float] = {}
    sizes = config["evaluation"]
    if hasattr(model, "log_weights"):
        found = of_density(model, images.test, sizes)
        figures |= {name: estimate.mean for name, estimate in found.items()}
        errors |= {name: estimate.stderr for name, estimate in found.items()}
    if not isinstance(model, GAN):
        figures |= of_codes(model, images, sizes)
    if hasattr(model, "sample"):
        score = of_samples(model, images.test, sizes)
        figures["kid"], errors["kid"] = score.mean, score.stderr
    return Outcome(model, figures, errors, time.perf_counter() - start)


def train(model: Model, images: Images, config: dict, checkpoint: Path, seed: int) -> Model:
    """The trained model: `model` itself, but for a GAN, whose generator is an average."""
    if isinstance(model, GAN):
        game = dict(config["game"])
        steps = game.pop("steps")
        players = Game(model, images, seed=seed, progress=False, **game)
        players.play(steps)
        return players.averaged()
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    return model


def of_density(model: VAE, test: Split, sizes: dict) -> dict[str, Estimate]:
    """negative_elbo, rate, distortion, nll, and nll_many beside nll_few on the first images.

    negative_elbo by one posterior sample of each image; distortion −log p(x | z) by another, rate
    what is left. nll by k importance samples of all images, nll_few the same of the `few` first
    ones, nll_many by many_k samples of these. Of a CVAE, of log p(x): for the bound the label is
    part of the code, at log 10 nats; the importance samples are shared out among the classes.
    """
    test = test[: sizes["images"]]
    few = test[: sizes["few"]]
    bound = negative_elbo(model, test)
    distortion = negative_log_likelihood(model, test)
    whole = nll(model, test, sizes["k"])
    return {
        "negative_elbo": bound,
        "rate": Estimate(bound.values - distortion.values),
        "distortion": distortion,
        "nll": whole,
        "nll_few": Estimate(whole.values[: len(few)]),
        "nll_many": nll(model, few, sizes["many_k"]),
    }


def negative_elbo(model: VAE, test: Split) -> Estimate:
    """−ELBO of each image: of a CVAE, −log p(y) and the bound on −log p(x | y) added up."""
    if isinstance(model, CVAE):
        return Estimate(math.log(model.classes) - elbo_given(model, test).values)
    return -evaluation.elbo(model, test)


def nll(model: VAE, test: Split, k: int) -> Estimate:
    """−log p(x) by k importance samples in all; of a CVAE, k / classes in each class."""
    if isinstance(model, CVAE):
        table = class_log_likelihoods(model, test, k // model.classes)
        return Estimate(math.log(model.classes) - table.logsumexp(1))
    return evaluation.nll(model, test, k=k)


def negative_log_likelihood(model: VAE, test: Split) -> Estimate:
    """−log p(x | z) at one posterior sample z of each image."""
    x = _observed(model, test)
    with torch.inference_mode(), seeded(1):
        z = draw(model, x, test.labels)
        labels = (test.labels,) if isinstance(model, CVAE) else ()
        return Estimate(-model.likelihood(z, *labels).log_prob(x))


def draw(model: Model, x: Tensor, labels: Tensor) -> Tensor:
    """One code of each image, by the law that the model guesses it from: [N, latent]."""
    if isinstance(model, AE):
        return model.encode(x)
    if isinstance(model, CVAE):
        return model.posterior(x, labels).sample()
    if isinstance(model, AuxiliaryVAE):
        choice = model.choice(x)
        return model.law_of_z(choice, model.law_of_u(choice).sample()).sample()
    return model.posterior(x).sample()


def middle(model: Model, x: Tensor, labels: Tensor) -> Tensor:
    """What `encode` calls the code of each image: [N, latent]."""
    return model.encode(x, labels) if isinstance(model, CVAE) else model.encode(x)


@torch.inference_mode()
def of_codes(model: Model, images: Images, sizes: dict) -> dict[str, float]:
    """active_units, probe_accuracy, and, where there is a prior, aggregate_mmd.

    active_units: dimensions whose middle varies by more than 0.01 over the test images.
    probe_accuracy: of a logistic regression on the middles of the first `labels` training images,
    judged on the test images. aggregate_mmd: the unbiased MMD² between codes drawn for the first
    `codes` test images and as many draws of the prior, kernel `mmd.imq_scales`.
    """
    test, train_split = images.test[: sizes["images"]], images.train[: sizes["labels"]]
    x = _observed(model, test)
    middles = middle(model, x, test.labels)
    known = middle(model, _observed(model, train_split), train_split.labels)
    read = probe(known, train_split.labels, middles, test.labels)
    figures = {
        "active_units": int((middles.var(0) > 0.01).sum()),
        "probe_accuracy": read.accuracy,
    }
    if hasattr(model, "prior"):
        n = sizes["codes"]
        with seeded(2):
            codes = draw(model, x[:n], test.labels[:n])
            prior = model.prior.sample((len(codes),))
        figures["aggregate_mmd"] = mmd2(codes, prior, imq_scales(model.latent)).item()
    return figures


def of_samples(model: Model, test: Split, sizes: dict):
    """KID of grey images, decoded at draws of the prior, against test images in grey: a `Score`."""
    judge, n = load_classifier(), sizes["draws"]
    real = judge.features(observe(test.pixels[:n], "grey"))
    with seeded(0):
        return kid(real, judge.features(model.sample(n)), sizes["block"])


def _observed(model: Model, split: Split) -> Tensor:
    return observe(split.pixels, model.observation, torch.Generator().manual_seed(0))
