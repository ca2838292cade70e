"""The f-VAE, VAEs that lack one of its parts each, and a flow on pixels of the same size.

Dequantised pixels, Gaussian decoders: "fixed" has σ₂² = 1/2 (squared error plus KL, as often
coded), "learned" learns σ₂, "isotropic" has one learned σ₁ for the posterior as well and the prior
N(0, I), "posterior" a flow posterior that depends on the image, "prior" a posterior diag σ²(x) and
a flow prior, "fvae" one σ₁ and a flow prior; "pixel-flow" is a coupling flow on the logits of the
pixels, for as many steps. "plane" is an f-VAE of two latents, for the page's map only. Test images;
densities of pixels in [0, 1], in nats and bits a dimension; kernel distances (KID) to 2,000 test
images in the features of the book's classifier; energies of the gradient in grey levels² an image
(vaeutil.sharpness).
"""

import math
from pathlib import Path

import torch
from torch import Tensor

from vaeutil.classifier import load_classifier
from vaeutil.data import Images, observe
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.fidelity import kid
from vaeutil.models import VAE, Model
from vaeutil.models.flow import FlowVAE
from vaeutil.models.fvae import FVAE
from vaeutil.models.gallery import Gallery
from vaeutil.models.pixel_flow import PixelFlow
from vaeutil.models.priors import PriorVAE
from vaeutil.nets import PIXELS
from vaeutil.seeding import seeded
from vaeutil.sharpness import gradient_energy

CODE = (
    *variant.CODE,
    "classifier.py",
    "fidelity.py",
    "flows/compose.py",
    "flows/layers.py",
    "models/flow.py",
    "models/fvae.py",
    "models/pixel_flow.py",
    "models/priors.py",
    "sharpness.py",
)
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": variant.TRAINING,
    "evaluation": {**variant.EVALUATION, "draws": 2_000, "shown": 20},
}
SMOKE = {
    "training": variant.SMOKE["training"],
    "evaluation": {**variant.SMOKE["evaluation"], "draws": 20, "shown": 4},
}
KINDS = ("fixed", "learned", "isotropic", "posterior", "prior", "fvae", "pixel-flow")
PLANE = {"kind": "plane", "seed": 0}
RUNS = [*({"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS), PLANE]
# Of the f-VAEs the weights; of the others that the page shows, images.
WEIGHTS = {
    f"fvae-{run['kind']}.safetensors": run
    for run in RUNS
    if run["seed"] == 0 and run["kind"] != "isotropic"
}
COOL = 0.8


def build(kind: str, latent: int, hidden: list[int]) -> Model:
    """The untrained model of a kind."""
    sizes = {"latent": latent, "hidden": hidden}
    return {
        "fixed": lambda: VAE(**sizes, likelihood="gaussian", sigma=0.5**0.5),
        "learned": lambda: VAE(**sizes, likelihood="gaussian"),
        "isotropic": lambda: FVAE(**sizes, depth=0),
        "posterior": lambda: FlowVAE(**sizes, likelihood="gaussian", flow="coupling", depth=4),
        "prior": lambda: PriorVAE(**sizes, likelihood="gaussian", prior="flow"),
        "fvae": lambda: FVAE(**sizes),
        "pixel-flow": lambda: PixelFlow(),
        "plane": lambda: FVAE(2, hidden=hidden, depth=8),
    }[kind]()


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind with this seed and measure it on the first test images.

    Figures beside those of `variant.run`: bits, the negative_elbo in bits a dimension; sigma1 and
    sigma2; rate and mse, of one posterior sample; kid_means, kid_cool (codes drawn at temperature
    0.8), kid_draws; energy_means, energy_draws. Where there are no means there is no such figure.
    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = build(kind, **config["model"])
    done = variant.run(model, images, config, checkpoint, seed)
    figures, sizes = dict(done.figures), config["evaluation"]
    figures["bits"] = 8 + figures["negative_elbo"] / (PIXELS * math.log(2))
    with seeded(seed), torch.no_grad():
        rows = made_by(model, sizes["draws"])
        figures |= quality(rows, images, sizes["draws"])
        if isinstance(model, VAE):
            figures |= of_codes(model, images, sizes["elbo_images"])
    if isinstance(model, PixelFlow):
        del figures["active_units"]
    kept = model
    if not isinstance(model, FVAE):
        kept = Gallery.of({name: x[: sizes["shown"]] for name, x in rows.items()})
    return Outcome(kept, figures, done.errors, done.seconds)


def made_by(model: Model, n: int) -> dict[str, Tensor]:
    """n images of each sort: "draws", "cool" (temperature 0.8; means, if any), "means" (if any)."""
    if isinstance(model, PixelFlow):
        z = torch.randn(n, PIXELS)
        return {"draws": model.decode(z).clamp(0, 1), "cool": model.decode(COOL * z).clamp(0, 1)}
    z = torch.randn(n, model.latent)
    codes, cool = to_codes(model, z), to_codes(model, COOL * z)
    law = model.likelihood(codes)
    return {
        "draws": law.sample().clamp(0, 1),
        "cool": model.decode(cool),
        "means": law.mean,
    }


def to_codes(model: VAE, z: Tensor) -> Tensor:
    """From z ~ N(0, I) to the code that the decoder takes: through the prior's flow, if any."""
    prior = model.prior
    return prior.flow(z)[0] if hasattr(prior, "flow") else z


def quality(rows: dict[str, Tensor], images: Images, n: int) -> dict[str, float]:
    """KID of each sort of image against n test images; gradient energies of means and draws."""
    judge = load_classifier()
    real = judge.features(observe(images.test[:n].pixels, "grey"))
    block = min(500, len(real) // 2)
    figures = {f"kid_{name}": kid(real, judge.features(x), block).mean for name, x in rows.items()}
    for name in ("means", "draws"):
        if name in rows:
            figures[f"energy_{name}"] = gradient_energy(rows[name]).mean().item()
    return figures


def of_codes(model: VAE, images: Images, n: int) -> dict[str, float]:
    """The rate and the squared error of one posterior sample on n test images; the two σ."""
    x = observe(images.test[:n].pixels, model.observation, torch.Generator().manual_seed(0))
    q = model.posterior(x)
    code = q.sample()
    figures = {
        "rate": (q.log_prob(code) - model.prior.log_prob(code)).mean().item(),
        "mse": (x - model.decode(code)).square().mean().item(),
        "sigma2": model.log_sigma.exp().item(),
    }
    if isinstance(model, FVAE):
        figures["sigma1"] = model.log_sigma1.exp().item()
    return figures
