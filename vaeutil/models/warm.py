"""A VAE whose price on the rate rises during training: warm-up, free bits, and a weaker decoder."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vaeutil.models.beta import rates
from vaeutil.models.visible import VisibleVAE
from vaeutil.nets import mlp_decoder


class WarmVAE(VisibleVAE):
    """A VisibleVAE trained on distortion + price · Σⱼ max(free_bits, rateⱼ), the price rising.

    - `beta`: the price from loss number `warmup` on; before, it rises from 0 along a line. (Bowman
      et al. 2015, arXiv:1511.06349; Sønderby et al. 2016, arXiv:1602.02282.) Only losses in
      training mode are counted; the count is part of the weights, so a resumed run goes on.
    - `free_bits`: as in `BetaVAE`, in nats for each latent dimension.
    - `decoder_hidden`: the decoder's hidden layers, where they are not the encoder's.

    `loss` is −ELBO only at price 1 without free bits; its parts are the plain ones. Raises
    ValueError for a beta or free_bits that is negative or not finite, and for a warmup that is not
    a whole number from 0 on.
    """

    def __init__(
        self,
        latent: int,
        net: str = "mlp",
        hidden: Sequence[int] | None = None,
        reach: int = 0,
        beta: float = 1.0,
        free_bits: float = 0.0,
        warmup: int = 0,
        decoder_hidden: Sequence[int] | None = None,
    ):
        for name, value in {"beta": beta, "free_bits": free_bits}.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a number from 0 on, not {value!r}.")
        if not (isinstance(warmup, int) and warmup >= 0):
            raise ValueError(f"warmup must be a whole number of steps from 0 on, not {warmup!r}.")
        super().__init__(latent, net, hidden, reach)
        if decoder_hidden is not None:
            self.decoder = mlp_decoder(latent, decoder_hidden)
        self.config |= {
            "beta": beta,
            "free_bits": free_bits,
            "warmup": warmup,
            "decoder_hidden": decoder_hidden,
        }
        self.register_buffer("losses", torch.tensor(0.0))

    @property
    def price(self) -> Tensor:
        """What a nat of rate costs now, in nats."""
        if not self.config["warmup"]:
            return torch.full_like(self.losses, self.config["beta"])
        return self.config["beta"] * (self.losses / self.config["warmup"]).clamp(max=1)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """What training minimises, then distortion and rate without price, in nats (means)."""
        q = self.posterior(x)
        reconstruction = -self.likelihood(q.rsample()).log_prob(x).mean()
        by_dimension = rates(q.mean, q.stddev).mean(0)
        charged = by_dimension.clamp(min=self.config["free_bits"]).sum()
        loss = reconstruction + self.price * charged
        if self.training:
            self.losses += 1
        return {"loss": loss, "reconstruction": reconstruction, "kl": by_dimension.sum()}
