"""A VAE whose posterior is a Gaussian bent by a normalizing flow that depends on the image.

Rezende & Mohamed 2015 (arXiv:1505.05770); Kingma et al. 2016 (arXiv:1606.04934) for the
autoregressive flow.
"""

import torch
from torch import Tensor, nn

from vaeutil import flows
from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE

FLOWS = ("planar", "coupling", "autoregressive")


class FlowVAE(VAE):
    """A VAE with q(z | x) the law of F(μ(x) + σ(x) ε; c(x)), ε ~ N(0, I), F a flow.

    Prior and decoder are the VAE's: only the guess is richer. The encoder gives μ and log σ² as the
    VAE's does; a `head` on its last hidden layer gives the context c, `context` numbers that tell
    the flow of which image it bends the noise. flow: "planar", "coupling" or "autoregressive";
    depth: its layers; flow_hidden: the widths of their networks (planar layers have none). Built
    under one seed, encoder and decoder start with the very weights of the VAE.

    `encode` gives F(μ(x); c(x)), where the flow takes the middle of the noise: a code of the image,
    but not the mean of q, which has no closed form. Nor has the KL: the loss draws it.

    Raises ValueError for an unknown flow, or sizes that are not positive whole numbers.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        flow="coupling",
        depth=4,
        context=32,
        flow_hidden=(64,),
    ):
        super().__init__(latent, net, hidden, likelihood, sigma)
        if flow not in FLOWS:
            raise ValueError(f"flow is {flow!r}; choose one of {', '.join(FLOWS)}.")
        if isinstance(context, bool) or not isinstance(context, int) or context < 1:
            raise ValueError(f"context counts numbers, a whole number from 1 on, not {context!r}.")
        self.head = nn.Linear(self.encoder[-1].in_features, context)
        sizes = {} if flow == "planar" else {"hidden": list(flow_hidden)}
        self.flow = getattr(flows, flow)(latent, depth, context=context, **sizes)
        self.config |= {
            "flow": flow,
            "depth": depth,
            "context": context,
            "flow_hidden": list(flow_hidden),
        }

    def choice(self, x: Tensor) -> Tensor:
        """What the encoder says of each image, μ, log σ² and c: [batch, 2 latent + context]."""
        hidden = self.encoder[:-1](self.check_images(x))
        choice = torch.cat([self.encoder[-1](hidden), self.head(hidden)], -1)
        return choice.to(self.origin.dtype)  # not that of autocast

    def law(self, choice: Tensor) -> flows.FlowDistribution:
        """q(z | x) for a choice as `choice(x)` gives it, over [latent]."""
        mean, log_variance, context = self._parts(choice)
        return flows.FlowDistribution(
            gaussian(mean, (0.5 * log_variance).exp()), self.flow, context
        )

    def posterior(self, x: Tensor) -> flows.FlowDistribution:
        """q(z | x) for each of [batch, 784] images, over [latent]."""
        return self.law(self.choice(x))

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(x, z) − log q(z | x) at k posterior samples of each image: [k, batch], in nats.

        log q along its own samples: the base's density minus the flow's log|det|; no inverse.
        """
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        z, log_q = self.posterior(x).sample_with_log_prob((k,))
        return self.likelihood(z).log_prob(x) + self.prior.log_prob(z) - log_q

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO and its two parts, all from one sample of each image, in nats (means)."""
        z, log_q = self.posterior(x).sample_with_log_prob()
        reconstruction = -self.likelihood(z).log_prob(x).mean()
        kl = (log_q - self.prior.log_prob(z)).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def encode(self, x: Tensor) -> Tensor:
        """F(μ(x); c(x)), where the flow takes the middle of the noise: [batch, latent]."""
        mean, _, context = self._parts(self.choice(x))
        return self.flow(mean, context)[0]

    def _parts(self, choice: Tensor) -> tuple[Tensor, ...]:
        return choice.split([self.latent, self.latent, self.config["context"]], -1)
