"""Priors that are learned: a mixture, the encoder's own mixture (VampPrior), a flow."""

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil import flows
from vaeutil.flows import FlowDistribution
from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE
from vaeutil.nets import PIXELS

KINDS = ("mixture", "vamp", "flow")
DARKEST, BRIGHTEST = 0.02, 0.98  # what a pseudo-input's pixel starts from, at most


class MixturePrior(nn.Module):
    """p(z) = Σ πᵢ N(z; mᵢ, diag sᵢ²), all learned; calling it gives the distribution over [latent].

    Weights start equal, means as draws from N(0, I), every s as 1. Raises ValueError for a size
    that is not a positive whole number.
    """

    def __init__(self, latent: int, components: int = 50):
        super().__init__()
        _count("latent", latent)
        self.logits = nn.Parameter(torch.zeros(_count("components", components)))
        self.means = nn.Parameter(torch.randn(components, latent))
        self.log_stds = nn.Parameter(torch.zeros(components, latent))

    def forward(self) -> td.MixtureSameFamily:
        """The distribution, over [latent]."""
        return mixture(self.logits, gaussian(self.means, self.log_stds.exp()))


class VampPrior(nn.Module):
    """p(z) = (1/K) Σ q(z | uᵢ): the encoder's posteriors of K learned pseudo-inputs, equal weights.

    Tomczak & Welling 2018 (arXiv:1705.07120), eq. 9. The pixels of uᵢ are sigmoids of the
    parameters, so they stay in (0, 1). Raises ValueError for a K that makes no sense.
    """

    def __init__(self, components: int = 50):
        super().__init__()
        self.pixels = nn.Parameter(0.1 * torch.randn(_count("components", components), PIXELS))

    @property
    def inputs(self) -> Tensor:
        """The pseudo-inputs, [K, 784], in (0, 1)."""
        return self.pixels.sigmoid()

    @torch.no_grad()
    def start_at(self, x: Tensor) -> None:
        """Set the pseudo-inputs to images [K, 784] in [0, 1], black and white a little softened."""
        if x.shape != self.pixels.shape:
            raise ValueError(f"{list(self.pixels.shape)} images are needed, not {list(x.shape)}.")
        self.pixels.copy_(x.clamp(DARKEST, BRIGHTEST).logit())

    def forward(self, posterior) -> td.MixtureSameFamily:
        """The distribution over [latent]; posterior: images [K, 784] → q(z | x), over [latent]."""
        return mixture(self.pixels.new_zeros(len(self.pixels)), posterior(self.inputs))


class FlowPrior(nn.Module):
    """The law of F(ε), ε ~ N(0, I): F is `depth` affine couplings; two latent dimensions or more.

    log p(z) = log N(F⁻¹(z); 0, I) + log |det ∂F⁻¹(z)/∂z|. Starts close to N(0, I).
    Raises ValueError for a latent below 2 or a depth that is no positive whole number.
    """

    def __init__(self, latent: int, depth: int = 4, hidden=(64,)):
        super().__init__()
        self.flow = flows.coupling(latent, depth, hidden)
        self.register_buffer("origin", torch.zeros(latent), persistent=False)

    def forward(self) -> FlowDistribution:
        """The distribution, over [latent]."""
        return FlowDistribution(gaussian(self.origin, torch.ones_like(self.origin)), self.flow)


class PriorVAE(VAE):
    """A VAE whose prior is learned with the rest. Encoder and decoder are the VAE's.

    prior: "mixture" (of `components` Gaussians), "vamp" (of as many pseudo-inputs) or "flow" (of
    `depth` couplings). The KL has no closed form, so the loss takes log p(z) at one posterior
    sample and the entropy of q(z | x) exactly.
    Raises ValueError for an unknown prior, and as VAE and the priors do.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        prior="mixture",
        components=50,
        depth=4,
    ):
        super().__init__(latent, net, hidden, likelihood, sigma)
        if prior not in KINDS:
            raise ValueError(f"prior is {prior!r}; choose one of {', '.join(KINDS)}.")
        self.learned = {
            "mixture": lambda: MixturePrior(latent, components),
            "vamp": lambda: VampPrior(components),
            "flow": lambda: FlowPrior(latent, depth),
        }[prior]()
        self.config |= {"prior": prior, "components": components, "depth": depth}

    @property
    def prior(self) -> td.Distribution | FlowDistribution:
        """p(z), over [latent]; each access computes it from the weights of the moment."""
        if isinstance(self.learned, VampPrior):
            return self.learned(self.posterior)
        return self.learned()

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO from one sample, and its two parts, in nats (means); `kl` is a sampled KL."""
        q = self.posterior(x)
        z = q.rsample()
        reconstruction = -self.likelihood(z).log_prob(x).mean()
        kl = -(q.entropy() + self.prior.log_prob(z)).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    @torch.no_grad()
    def start_at_mean(self, pixels: Tensor) -> None:
        """As every model; and pseudo-inputs start at training images, evenly spaced in their order.

        pixels: uint8 [N, 28, 28] or [N, 784].
        """
        super().start_at_mean(pixels)
        if isinstance(self.learned, VampPrior):
            count = len(self.learned.pixels)
            places = torch.linspace(0, len(pixels) - 1, count, device=pixels.device).long()
            self.learned.start_at(pixels[places].flatten(1).float() / 255)


def with_prior(vae: VAE, **prior) -> PriorVAE:
    """A PriorVAE with the networks of a trained VAE, frozen: training it fits the prior alone.

    prior: the arguments `prior`, `components`, `depth` of PriorVAE. The VAE is not changed.
    """
    model = PriorVAE(**vae.config, **prior).to(vae.device)
    model.load_state_dict(vae.state_dict(), strict=False)  # all but the prior's own weights
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("learned."))
    return model


def mixture(logits: Tensor, components: td.Distribution) -> td.MixtureSameFamily:
    """Σ softmax(logits)ᵢ componentᵢ: logits [K], components over [K] and events of [latent]."""
    weights = td.Categorical(logits=logits, validate_args=False)
    return td.MixtureSameFamily(weights, components, validate_args=False)


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}.")
    return value
