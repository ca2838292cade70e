"""The generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661): no density."""

import math

import torch
import torch.distributions as td
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.models.base import Model
from vaeutil.models.likelihoods import gaussian
from vaeutil.nets import PIXELS

OBJECTIVES = ("non-saturating", "saturating")


class GAN(Model):
    """A decoder that makes x = g(z) from z ~ N(0, I), and a discriminator that tells x from data.

    The decoder is that of the book's VAEs, here the generator. Given z the image is certain: the
    law of x lies on a sheet of `latent` dimensions in 784 and has no density there. So there is no
    `log_weights`, and `vaeutil.evaluation` raises TypeError. There is no encoder either, and no
    one loss: `vaeutil.adversarial.Game` trains the two networks by the two losses below.

    critic: widths of the discriminator's hidden layers. objective: what the generator minimises,
    one of OBJECTIVES. penalty: the factor γ of the gradient penalty on data, γ/2 E‖∇ₓ logit(x)‖²
    (R₁ of Mescheder et al. 2018, arXiv:1801.04406, eq. 9); 0 for none.

    Raises ValueError for another objective, a width that is none, or a negative penalty.
    """

    observation = "grey"
    unit = "nats"

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        critic=(256, 128),
        objective="non-saturating",
        penalty=2.0,
    ):
        super().__init__(latent, net, hidden)
        if objective not in OBJECTIVES:
            raise ValueError(f"objective is {objective!r}; choose {' or '.join(OBJECTIVES)}.")
        if not 0 <= penalty < math.inf:
            raise ValueError(f"penalty is a factor from 0 on, not {penalty!r}.")
        del self.encoder  # an image has no code
        self.discriminator = _discriminator(critic)
        self.config |= {"critic": list(critic), "objective": objective, "penalty": penalty}
        self.register_buffer("origin", torch.zeros(latent), persistent=False)

    @property
    def prior(self) -> td.Distribution:
        """p(z), over [latent]."""
        return gaussian(self.origin, torch.ones_like(self.origin))

    def judge(self, x: Tensor) -> Tensor:
        """The discriminator's logit of "x is from the data": [batch, 784] → [batch], in nats.

        At its optimum log p_D(x) − log p_g(x), where both laws have densities (eq. 2 of the
        paper, whose D is the sigmoid of this).
        """
        return self.discriminator(self.check_images(x)).float().squeeze(-1)

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """{"discriminator", "penalty"}: what it minimises is their sum, in nats.

        −E log D(real) − E log(1 − D(fake)), and the gradient penalty on real. Both [batch, 784];
        the gradient stops at the images: the generator does not learn from this.
        """
        real = real.detach().requires_grad_(self.config["penalty"] > 0)
        logit = self.judge(real)
        penalty = logit.new_zeros(())
        if self.config["penalty"]:
            (slope,) = torch.autograd.grad(logit.sum(), real, create_graph=True)
            penalty = 0.5 * self.config["penalty"] * slope.square().sum(-1).mean()
        loss = F.softplus(-logit).mean() + F.softplus(self.judge(fake.detach())).mean()
        return {"discriminator": loss, "penalty": penalty}

    def generator_loss(self, fake: Tensor) -> Tensor:
        """What the generator minimises, in nats: −E log D, or, saturating, E log(1 − D)."""
        logit = self.judge(fake)
        if self.config["objective"] == "saturating":
            return -F.softplus(logit).mean()
        return F.softplus(-logit).mean()

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n draws of x, [n, 784], in [0, 1]: the model's own images, where a VAE shows means."""
        return self.decode(self.prior.sample((n,)))


def _discriminator(widths) -> nn.Sequential:
    """[n, 784] → [n, 1], a logit; leaky, so that each unit passes some gradient back."""
    if not widths or any(isinstance(w, bool) or int(w) != w or w < 1 for w in widths):
        raise ValueError(f"critic must be positive whole numbers, not {widths!r}.")
    layers: list[nn.Module] = []
    inputs = PIXELS
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))
