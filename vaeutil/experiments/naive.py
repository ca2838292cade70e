"""Training by an average over draws from the prior, and by the ELBO: chapter 3.

The same decoder (200-200) is trained with either objective, in 2 and in 20 latent dimensions, for
the same number of steps and over the same five seeds. A decoder trained without an encoder gets
one afterwards: its weights are frozen and the ELBO raised in the encoder alone, for as many steps.
Then both are measured by the same ruler, the NLL by importance samples of the encoder. In nats.
"""

import math
import time
from pathlib import Path

import torch
from torch import Tensor

from vaeutil.data import Images, observe
from vaeutil.evaluation import elbo, nll
from vaeutil.experiments import likelihood
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "PriorAverage", "run"]

CODE = tuple(file for file in likelihood.CODE if file != "experiments/likelihood.py")
DATA = "mnist"
CONFIG = {
    "model": {"hidden": [200, 200]},
    "training": {"steps": 1_500, "batch": 128, "lr": 2e-3},
    "evaluation": {"draws": 250, "many": 20_000, "images": 500, "k": 500},
}
SMOKE = {
    "training": {"steps": 6, "batch": 32},
    "evaluation": {"draws": 10, "many": 50, "images": 20, "k": 5},
}
RUNS = [
    {"latent": latent, "objective": objective, "seed": seed}
    for seed in range(5)
    for latent in (2, 20)
    for objective in ("average", "elbo")
]
WEIGHTS: dict[str, dict] = {}


class PriorAverage(VAE):
    """A VAE's decoder, trained by averaging p(x | z) over `draws` draws from the prior.

    The draws are shared by the images of a batch; the encoder takes no part.
    Raises ValueError unless draws is a positive whole number.
    """

    def __init__(self, latent: int, draws: int, **config):
        if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
            raise ValueError(f"draws counts codes, a whole number from 1 on, not {draws!r}.")
        super().__init__(latent, **config)
        self.draws = draws

    def log_average(self, x: Tensor, draws: int, piece: int = 1_000) -> Tensor:
        """log (1/n) Σ p(x | z_i) for n draws z_i ~ p(z): [batch, 784] → [batch], in nats.

        A lower bound of log p(x) in expectation, by Jensen's inequality. The codes are decoded
        `piece` at a time.
        """
        parts = []
        for z in self.prior.sample((draws,)).split(piece):
            logits = self.preactivations(z)
            constant = torch.nn.functional.softplus(logits).sum(-1)
            parts.append((x @ logits.T - constant).logsumexp(1))
        return torch.stack(parts).logsumexp(0) - math.log(draws)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """Minus the logarithm of the average, mean over the batch, in nats."""
        return {"loss": -self.log_average(x, self.draws).mean()}


def run(
    images: Images, config: dict, checkpoint: Path, latent: int, objective: str, seed: int
) -> Outcome:
    """Train one decoder by one objective and measure it on the first test images.

    Figures, in nats: objective (minus the trained quantity, on test images), average_many (minus
    the logarithm of the average over `many` draws from the prior), negative_elbo and nll (with the
    encoder, which for "average" is fitted afterwards), training_seconds. A run is short, so there
    is no checkpoint. Raises KeyboardInterrupt when a training was interrupted.
    """
    sizes, training = config["evaluation"], config["training"]
    quiet = {**training, "seed": seed, "progress": False, "valid_every": training["steps"]}
    with seeded(seed):
        trained = PriorAverage(latent, sizes["draws"], **config["model"])
    twin = VAE(latent, **config["model"])
    twin.load_state_dict(trained.state_dict())
    twin.fresh = True
    histories = [fit(trained if objective == "average" else twin, images, **quiet)]
    if objective == "average":
        twin.load_state_dict(trained.state_dict())
        twin.decoder.requires_grad_(False)
        histories.append(fit(twin, images, **quiet))
    else:
        trained.load_state_dict(twin.state_dict())
    if any(history.interrupted for history in histories):
        raise KeyboardInterrupt
    start = time.perf_counter()
    test = images.test[: sizes["images"]]
    x = observe(test.pixels, "binary", torch.Generator().manual_seed(0)).to(trained.device)
    with torch.no_grad(), seeded(seed):
        few = -trained.log_average(x, sizes["draws"]).mean().item()
        many = -trained.log_average(x, sizes["many"]).mean().item()
    bound, exact = -elbo(twin, test, k=20), nll(twin, test, k=sizes["k"])
    figures = {
        "objective": few if objective == "average" else bound.mean,
        "average_many": many,
        "negative_elbo": bound.mean,
        "nll": exact.mean,
        "training_seconds": histories[0].seconds,
    }
    errors = {"negative_elbo": bound.stderr, "nll": exact.stderr}
    return Outcome(twin, figures, errors, time.perf_counter() - start)
