"""The importance-weighted autoencoder (Burda et al. 2015, arXiv:1509.00519) and its gradients."""

import math
from collections.abc import Callable

from torch import Tensor

from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE

GRADIENTS = ("iwae", "dreg", "stl", "elbo")


class IWAE(VAE):
    """A VAE trained on the mean of log (1/k) Σ w over its images: k weights inside the logarithm.

    k and `gradient` are those of `weighted_bound`; gradient="elbo" is the control, a VAE that is
    given the same k samples and averages their logarithms. Network, prior, posterior, likelihood
    and `log_weights` are the VAE's, so all of them are measured by one ruler. The encoder runs
    once an image, the decoder k times. Raises ValueError for a k or a gradient that is none.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        k=5,
        gradient="iwae",
    ):
        _check(k, gradient)
        super().__init__(latent, net, hidden, likelihood, sigma)
        self.config |= {"k": k, "gradient": gradient}

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−L_k from k samples an image, then −ELBO from the same samples, in nats (means).

        Where gradient="elbo" both are −ELBO.
        """
        q = self.posterior(x)

        def log_joint(z: Tensor) -> Tensor:
            return self.likelihood(z).log_prob(x) + self.prior.log_prob(z)

        bound, log_w = weighted_bound(log_joint, q.mean, q.stddev, **self._how)
        return {"loss": -bound.mean(), "negative_elbo": -log_w.mean()}

    @property
    def _how(self) -> dict:
        return {name: self.config[name] for name in ("k", "gradient")}


def weighted_bound(
    log_joint: Callable[[Tensor], Tensor],
    mean: Tensor,
    std: Tensor,
    k: int,
    gradient: str = "iwae",
) -> tuple[Tensor, Tensor]:
    """A one-draw estimate of L_k for each image, and its log-weights: ([batch], [k, batch]), nats.

    log_joint: z [k, batch, d] → log p(x, z) [k, batch]; q = N(mean, diag std²), both [batch, d].
    The value is log (1/k) Σ w; backward gives what `gradient` names. With v = w / Σ w:

    - "iwae": its derivative, Σ v ∇ log w (Burda et al. 2015, eq. 13).
    - "dreg": the same for what log_joint depends on; for mean and std Σ v² (∂ log w / ∂z)(∂z / ∂φ),
      the doubly reparameterised estimator, equal in expectation and less noisy (Tucker et al.
      2018, arXiv:1810.04152, eq. 8).
    - "stl": sticking the landing (Roeder et al. 2017, arXiv:1703.09194): v in place of v², which
      is biased for k > 1.
    - "elbo": value and gradient are those of the mean of log w, an ELBO from k samples.

    Raises ValueError for a k or a gradient that is none.
    """
    _check(k, gradient)
    z = gaussian(mean, std).rsample((k,))
    if gradient in ("iwae", "elbo"):
        log_w = log_joint(z) - gaussian(mean, std).log_prob(z)
        bound = log_w.logsumexp(0) - math.log(k) if gradient == "iwae" else log_w.mean(0)
        return bound, log_w.detach()
    # q's own parameters are held fixed: they act through z alone.
    log_w = log_joint(z) - gaussian(mean.detach(), std.detach()).log_prob(z)
    share = log_w.detach().softmax(0)
    if gradient == "dreg" and z.requires_grad:
        z.register_hook(lambda slope: share[..., None] * slope)  # a second time
    surrogate = (share * log_w).sum(0)
    value = log_w.detach().logsumexp(0) - math.log(k)
    return value + (surrogate - surrogate.detach()), log_w.detach()


def _check(k: int, gradient: str) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts samples of each image: a whole number from 1 on, not {k!r}.")
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient is {gradient!r}; choose one of {', '.join(GRADIENTS)}.")
