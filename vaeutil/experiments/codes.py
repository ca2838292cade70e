"""What codes drawn from a law decode to: N(0, I), or a law fitted to the codes afterwards.

Autoencoders with 2, 5, 10 and 20 latent dimensions and a VAE with 10, five seeds of each. Squared
error per image, summed over the 784 pixels, on 5,000 test images. Kernel and Fréchet distances in
the features of the book's digit classifier, of 5,000 decoded means from 5,000 test images in grey
levels; the same of 5,000 validation images is the floor. Log-densities of test codes in nats.
"""

import time
from pathlib import Path

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from vaeutil.classifier import Classifier, load_classifier
from vaeutil.data import Images, Split, observe
from vaeutil.experiments.parts import Outcome
from vaeutil.fidelity import frechet_distance, kid
from vaeutil.models import AE, VAE, Model
from vaeutil.seeding import seeded
from vaeutil.training import fit

# The files of vaeutil that decide the figures, besides this one.
CODE = (
    "classifier.py",
    "data/observe.py",
    "divergences.py",
    "fidelity.py",
    "models/ae.py",
    "models/base.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
    "training.py",
)
DATA = "mnist"
CONFIG = {
    "model": {"hidden": [200, 200]},
    "training": {"steps": 3_000, "batch": 128, "lr": 2e-3},
    "evaluation": {"codes": 10_000, "images": 5_000, "block": 500, "components": 50},
}
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"codes": 60, "images": 20, "block": 10, "components": 2},
}
SETTINGS = [("AE", 2), ("AE", 5), ("AE", 10), ("AE", 20), ("VAE", 10)]
RUNS = [{"model": m, "latent": d, "seed": s} for m, d in SETTINGS for s in range(5)]
WEIGHTS: dict[str, dict] = {}


def run(
    images: Images, config: dict, checkpoint: Path, model: str, latent: int, seed: int
) -> Outcome:
    """Train one model, fit laws to its codes of training images, and judge what they decode to.

    Figures: squared_error of the reconstructions; log_density_gaussian and log_density_mixture, of
    test codes; kid_NAME and frechet_NAME for the decoded means of codes from NAME: prior, N(0, I);
    gaussian and mixture, fitted; reconstruction, the codes of test images themselves; and floor,
    real images. A VAE's codes are draws from its posteriors. Errors: of the kid_NAME, over blocks.
    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        net = {"AE": AE, "VAE": VAE}[model](latent, **config["model"])
    history = fit(net, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    n, judge = sizes["images"], load_classifier()
    test, valid = images.test[:n], images.valid[:n]
    real = judge.features(observe(test.pixels, "grey"))
    with seeded(seed), torch.inference_mode():
        fitted = laws(codes_of(net, images.train[: sizes["codes"]]), sizes["components"], seed)
        codes = {"prior": torch.randn(n, latent)}
        codes |= {name: drawn(law, n) for name, law in fitted.items()}
        codes["reconstruction"] = codes_of(net, valid)
        held_out = codes_of(net, test).double().numpy()
        error = net.decode(codes_of(net, test)) - observe(test.pixels, "grey")
    figures = {"squared_error": error.square().sum(-1).mean().item()}
    figures |= {f"log_density_{name}": law.score(held_out) for name, law in fitted.items()}
    features = {name: features_of(net, judge, z) for name, z in codes.items()}
    features["floor"] = judge.features(observe(valid.pixels, "grey"))
    errors = {}
    for name, fake in features.items():
        score = kid(real, fake, sizes["block"])
        figures[f"kid_{name}"], errors[f"kid_{name}"] = score.mean, score.stderr
        figures[f"frechet_{name}"] = frechet_distance(real, fake)
    figures["training_seconds"] = history.seconds
    return Outcome(net, figures, errors, time.perf_counter() - start)


def codes_of(net: Model, split: Split) -> Tensor:
    """One code of each image, [n, latent]: an autoencoder's, or a draw from a VAE's posterior."""
    x = observe(split.pixels, net.observation).to(net.device)
    parts = x.split(1_000)
    if hasattr(net, "posterior"):
        return torch.cat([net.posterior(part).sample().cpu() for part in parts])
    return torch.cat([net.encode(part).cpu() for part in parts])


def laws(codes: Tensor, components: int, seed: int) -> dict[str, GaussianMixture]:
    """A Gaussian, and a mixture of several with full covariances, by maximum likelihood."""
    z = codes.double().numpy()
    return {
        name: GaussianMixture(k, reg_covar=1e-3, max_iter=60, random_state=seed).fit(z)
        for name, k in {"gaussian": 1, "mixture": components}.items()
    }


def drawn(law: GaussianMixture, n: int) -> Tensor:
    """n draws, [n, latent], in random order (scikit-learn gives them component by component)."""
    z = torch.tensor(law.sample(n)[0], dtype=torch.float32)
    return z[torch.randperm(n)]


def features_of(net: Model, judge: Classifier, z: Tensor) -> Tensor:
    """The judge's features of the decoded means: [n, latent] → [n, F]."""
    with torch.inference_mode():
        images = [net.decode(part.to(net.device)).cpu() for part in z.split(1_000)]
    return judge.features(torch.cat(images))
