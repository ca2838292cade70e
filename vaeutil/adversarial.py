"""The training loop of a GAN: two players, two optimisers, one game."""

import copy
import math
import time

import torch
from torch import Tensor

from vaeutil._progress import Progress
from vaeutil.data import Images, observe
from vaeutil.history import History
from vaeutil.models.gan import GAN

STRETCH = 50  # steps between two looks at the recorded losses
NAMES = ("discriminator", "penalty", "generator")


class Game:
    """Trains a GAN on images.train; `play(steps)` takes more steps, as often as one likes.

    In each step the discriminator learns from a batch of data and one of generated images, then
    the generator learns from the discriminator, from the same generated images. Both use Adam with
    β₁ = 0.5 (Radford et al. 2015, arXiv:1511.06434) at constant rates, so nothing depends on an
    end: 100 steps and 100 more are 200. `average` is the decay of a moving average of the
    generator's weights, freed of the zeros it begins with; `averaged()` gives the GAN that has it.

    The same seed gives the same game on the same device; the initial weights are the caller's, but
    that the output's bias of a GAN that is `fresh` is set by `start_at_mean`. The caller's random
    numbers are left untouched.

    `history` holds the means over every 50 steps of "discriminator", "penalty" and "generator",
    what the two minimise, in nats, and of their sum "loss", which nobody minimises.

    Raises ValueError for settings that cannot work; FloatingPointError, from `play`, when a loss
    is no longer finite, naming the step and the loss.
    """

    def __init__(
        self,
        model: GAN,
        images: Images,
        *,
        seed: int = 0,
        batch: int = 64,
        lr: float = 1e-3,
        critic_lr: float = 1e-3,
        average: float = 0.998,
        progress: bool = True,
    ):
        _check(images, batch, lr, critic_lr, average)
        self.model, self.batch, self.average, self.progress = model, batch, average, progress
        self.pixels = images.train.pixels.flatten(1).to(model.device)
        self.history, self.step = History(unit=model.unit), 0
        self.random = torch.Generator(model.device).manual_seed(seed)
        if model.fresh:
            model.start_at_mean(self.pixels)
        model.fresh = False
        self.weights = list(model.decoder.parameters())
        self.sums = [torch.zeros_like(w) for w in self.weights]
        adam = {"betas": (0.5, 0.99), "fused": model.device.type != "mps"}
        self.generator = torch.optim.Adam(self.weights, lr=lr, **adam)
        self.critic = torch.optim.Adam(model.discriminator.parameters(), lr=critic_lr, **adam)

    def play(self, steps: int) -> History:
        """Take `steps` more steps, and return the whole history. Raises ValueError for none."""
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps must be a positive whole number, not {steps!r}.")
        until, before, start = self.step + steps, self.history.seconds, time.perf_counter()
        bar = Progress(self.progress)
        self.model.train()
        while self.step < until:
            count = min(STRETCH, until - self.step)
            self._keep(torch.stack([self._one() for _ in range(count)]))
            self.history.seconds = before + time.perf_counter() - start
            bar.update(self.history.line(until))
        bar.close()
        self.model.eval()
        return self.history

    @torch.no_grad()
    def averaged(self) -> GAN:
        """A copy of the GAN whose generator has the averaged weights; the game goes on without.

        Raises ValueError before the first step, when there is nothing to average.
        """
        if not self.step:
            raise ValueError("No step has been played: there is nothing to average.")
        found = copy.deepcopy(self.model).eval()
        share = 1 - self.average**self.step  # what of the average is not the zeros it began with
        for weight, total in zip(found.decoder.parameters(), self.sums, strict=True):
            weight.copy_(total / share)
        return found

    def _one(self) -> Tensor:
        """One step of each player; the three losses: [3]."""
        model, device = self.model, self.pixels.device
        index = torch.randint(len(self.pixels), (self.batch,), generator=self.random, device=device)
        real = observe(self.pixels.index_select(0, index), model.observation)
        z = torch.randn(self.batch, model.latent, generator=self.random, device=device)
        fake = model.decode(z)

        losses = model.discriminator_loss(real, fake)
        self.critic.zero_grad(set_to_none=True)
        (losses["discriminator"] + losses["penalty"]).backward()
        self.critic.step()

        # The generator's loss goes through the discriminator, which does not learn from it.
        model.discriminator.requires_grad_(False)
        losses["generator"] = model.generator_loss(fake)
        self.generator.zero_grad(set_to_none=True)
        losses["generator"].backward()
        self.generator.step()
        model.discriminator.requires_grad_(True)

        with torch.no_grad():
            torch._foreach_lerp_(self.sums, self.weights, 1 - self.average)
        self.step += 1
        return torch.stack([losses[name].detach() for name in NAMES])

    def _keep(self, record: Tensor) -> None:
        finite = record.isfinite()
        if not finite.all():
            row = int((~finite.all(1)).nonzero()[0])
            which = int((~finite[row]).nonzero()[0])
            raise FloatingPointError(
                f"Step {self.step - len(record) + row + 1:,}: {NAMES[which]} is "
                f"{record[row, which].item()}. Try smaller learning rates or another penalty."
            )
        means = dict(zip(NAMES, record.mean(0).tolist(), strict=True))
        self.history.add(self.step, {"loss": sum(means.values()), **means})


def _check(images: Images, batch: int, lr: float, critic_lr: float, average: float) -> None:
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(f"batch must be a positive whole number, not {batch!r}.")
    if not len(images.train):
        raise ValueError("There are no training images.")
    if not (0 < lr < math.inf and 0 < critic_lr < math.inf):
        raise ValueError(f"lr={lr} and critic_lr={critic_lr}: both must be positive.")
    if not 0 <= average < 1:
        raise ValueError(f"average is a decay from 0 to below 1, not {average!r}.")
