"""Auxiliary variables of chapter 11 beside the plain VAE, over five seeds.

The common recipe of `variant`: a Gaussian posterior; the same with an encoder as large as all
inference networks of "auxiliary-10" together ("wide"); u of 2 and of 10 dimensions. All runs of a
seed begin with the same decoder and see the same batches. spread_u and spread_rest are parts of
the variance of q(z | x), means over the first spread test images and the latent dimensions: what
u decides, Var_u(E[z | u, x]), and what is left to q(z | u, x); penalty_least and penalty_most
bracket the new penalty, in nats, as `penalty` says.
"""

import math
from pathlib import Path

import torch

from vaeutil.data import Images, observe
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE, AuxiliaryVAE
from vaeutil.nets import mlp_encoder
from vaeutil.seeding import seeded

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

CODE = (*variant.CODE, "models/auxiliary.py")
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "wide": {"hidden": [115, 100]},
    "auxiliary": {"auxiliary-2": 2, "auxiliary-10": 10},
    "training": variant.TRAINING,
    "evaluation": variant.EVALUATION,
    "spread": {"images": 200, "draws": 200, "inner": 1_000},
}
SMOKE = variant.SMOKE | {"spread": {"images": 3, "draws": 4, "inner": 5}}
KINDS = ("gaussian", "wide", "auxiliary-2", "auxiliary-10")
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {"auxiliary-10.safetensors": {"kind": "auxiliary-10", "seed": 0}}


def make(config: dict, kind: str) -> VAE:
    """The model of this kind, its random weights drawn from where the generator stands."""
    if kind in config["auxiliary"]:
        return AuxiliaryVAE(**config["model"], auxiliary=config["auxiliary"][kind])
    model = VAE(**config["model"])
    if kind == "wide":
        model.encoder = mlp_encoder(2 * model.latent, config["wide"]["hidden"])
    return model


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model with this seed, measure it as every variant, and see what u does.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = make(config, kind)
    outcome = variant.run(model, images, config, checkpoint, seed)
    if kind in config["auxiliary"]:
        sizes = config["spread"]
        x = observe(
            images.test[: sizes["images"]].pixels,
            model.observation,
            torch.Generator().manual_seed(0),
        )
        with torch.inference_mode(), seeded(0):
            by_u, rest = spread(model, x, sizes["draws"])
            least, most = penalty(model, x, sizes["draws"], sizes["inner"])
        outcome.figures.update(
            spread_u=by_u.mean().item(),
            spread_rest=rest.mean().item(),
            penalty_least=least.mean().item(),
            penalty_most=most.mean().item(),
        )
    return outcome


def spread(model: AuxiliaryVAE, x, draws: int):
    """The variance of q(z | x) in two parts, each [batch, latent]: Var_u(E[z | u, x]), E_u(Var).

    The first is corrected for the finite number of draws only by its divisor n − 1.
    """
    choice = model.choice(x)
    q_z = model.law_of_z(choice, model.law_of_u(choice).sample((draws,)))
    return q_z.mean.var(0), q_z.variance.mean(0)


def penalty(model: AuxiliaryVAE, x, draws: int, inner: int):
    """Two estimates of E_q(z|x) KL(q(u | x, z) ‖ p(u | x, z)), each [batch], in nats.

    It is E[log q(u | x) q(z | u, x) − log p(u | x, z) − log q(z | x)], and q(z | x) is an average
    over fresh draws u′ of q(z | u′, x). Without u among them the average is in expectation too
    small in its logarithm, and the penalty too large; with u among them it is the other way round
    (Sobolev & Vetrov 2019, arXiv:1905.03290). Returns (least, most): in expectation the penalty
    lies between the two.
    """
    choice = model.choice(x)
    q_u = model.law_of_u(choice)
    u = q_u.sample((draws,))
    own = model.law_of_z(choice, u)
    z = own.sample()
    log_own = own.log_prob(z)
    fixed = q_u.log_prob(u) + log_own - model.model_of_u(choice, z).log_prob(u)
    others = model.law_of_z(choice, q_u.sample((inner,)))
    # One set of fresh draws serves all z of an image.
    total = torch.stack([others.log_prob(one).logsumexp(0) for one in z])
    without = total - math.log(inner)
    with_own = torch.logaddexp(total, log_own) - math.log(inner + 1)
    return (fixed - with_own).mean(0), (fixed - without).mean(0)
