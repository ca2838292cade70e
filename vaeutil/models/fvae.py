"""The f-VAE: one flow between encoder and decoder (Su & Wu 2018, arXiv:1809.05861)."""

import math
from collections.abc import Sequence

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil.flows import Flow, FlowDistribution, Permutation, coupling
from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE


class FVAE(VAE):
    """An isotropic Gaussian posterior and a flow prior, for dequantised pixels.

    The paper's form, with z ~ N(0, I) and a flow F from w to z:

    - posterior: z = F(E(x) + σ₁ u), u ~ N(0, I);
    - likelihood p(x | z) = N(x; G(F⁻¹(z)), σ₂² I).

    In w = F⁻¹(z) the flow cancels from the decoder, and that is how the class computes:

    - prior p(w) = N(F(w); 0, I) |det ∂F/∂w|;
    - posterior q(w | x) = N(w; E(x), σ₁² I);
    - likelihood p(x | w) = N(x; G(w), σ₂² I), G = sigmoid(decoder).

    A code is a w: `encode`, `decode`, `log_weights` speak of w. `flow` is F⁻¹, from z to w, so
    that `flow.inverse` is F. The two standard deviations σ₁, σ₂ are learned, unless `sigma` fixes
    σ₂. depth: affine couplings in the flow, `width` the layers of their networks; 0 leaves the flow
    out, so that the prior is N(0, I). Raises ValueError for a depth that is no number of layers,
    for fewer than two latents with a flow, for a sigma that is not positive.
    """

    codes_per_latent = 1

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        depth: int = 4,
        width: Sequence[int] = (64,),
        sigma: float | None = None,
    ):
        super().__init__(latent, net, hidden, "gaussian", sigma)
        del self.config["likelihood"]
        self.config |= {"depth": depth, "width": list(width)}
        self.flow: Flow = (
            Permutation(list(range(latent))) if depth == 0 else coupling(latent, depth, width)
        )
        self.log_sigma1 = nn.Parameter(torch.zeros(()))

    @property
    def prior(self) -> FlowDistribution:
        """p(w): where the flow takes N(0, I)."""
        return FlowDistribution(super().prior, self.flow)

    def posterior(self, x: Tensor) -> td.Distribution:
        """q(w | x) for each of [batch, 784] images, over [latent]: one σ₁ for all."""
        mean = self.encoder(self.check_images(x)).float()
        return gaussian(mean, self.log_sigma1.exp().expand_as(mean))

    def likelihood(self, w: Tensor) -> td.Distribution:
        """p(x | w) for codes [..., latent], over [784]: one σ₂ for all pixels."""
        return gaussian(self.decode(w), self.log_sigma.exp())

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO from one sample, and its two parts, in nats (means over the batch).

        "kl" is one sample's −log p(w) less the exact entropy of q(w | x): no closed form. The loss
        is ‖x − G‖²/2σ₂² + D log σ₂ + ½‖F‖² − log|det ∂F/∂w| − d log σ₁ + (D log 2π − d)/2 (the
        paper's objective; D = 784 pixels, d latents).
        """
        q = self.posterior(x)
        w = q.rsample()
        reconstruction = -self.likelihood(w).log_prob(x).mean()
        kl = -(self.prior.log_prob(w) + q.entropy()).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def to_z(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """z = F(w) and log|det ∂F/∂w|: [..., latent] → ([..., latent], [...])."""
        return self.flow.inverse(w)

    def to_w(self, z: Tensor) -> Tensor:
        """w = F⁻¹(z): [..., latent] → [..., latent]."""
        return self.flow(z)[0]

    @torch.no_grad()
    def sample(self, n: int, temperature: float = 1.0) -> Tensor:
        """Decoder means at n draws, G(F⁻¹(z)) with z ~ N(0, temperature² I): [n, 784].

        Raises ValueError for a temperature that is negative or not finite.
        """
        if not 0 <= temperature < math.inf:
            raise ValueError(f"A temperature is 0 or more, not {temperature!r}.")
        z = temperature * torch.randn(n, self.latent, device=self.device)
        return self.decode(self.to_w(z))
