"""The f-VAE's prior and posterior over binary pixels: what is left of it under a Bernoulli law."""

from torch import Tensor

from vaeutil.models.fvae import FVAE
from vaeutil.models.likelihoods import Bernoulli


class BinaryFVAE(FVAE):
    """An f-VAE whose decoder gives the probability of each pixel being on.

    The paper's model is for real-valued pixels (`FVAE`). Here its two other parts, one σ₁ for all
    posteriors and a flow prior, meet the likelihood of the book's other models, so that they can be
    compared; there is no σ₂. Raises ValueError as `FVAE` does.
    """

    def __init__(self, latent, net="mlp", hidden=None, depth=4, width=(64,)):
        super().__init__(latent, net, hidden, depth, width)
        self.observation = "binary"
        del self.log_sigma
        del self.config["sigma"]

    def likelihood(self, w: Tensor) -> Bernoulli:
        """p(x | w) for codes [..., latent], over [784]."""
        return Bernoulli(self.preactivations(w))
