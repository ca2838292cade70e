"""A VAE whose posterior is a mixture: q(z | x) = ∫ q(z | u, x) q(u | x) du.

Agakov & Barber 2004; Maaløe et al. 2016 (arXiv:1602.05473), there called ADGM; Ranganath et al.
2016 (arXiv:1511.02386), there called a hierarchical variational model.
"""

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil.divergences import gaussian_kl
from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE
from vaeutil.nets import mlp


class AuxiliaryVAE(VAE):
    """A VAE with q(u, z | x) = q(u | x) q(z | u, x), and p(u | x, z) on the model's side.

    Prior p(z) and decoder are the VAE's, and so is p(x): the model's u is drawn after z and x and
    changes nothing in them. All three new laws are diagonal Gaussians; u has `auxiliary`
    dimensions. A `head` on the encoder's last hidden layer gives q(u | x) and `context` numbers
    that say of which image it is; small networks of one hidden layer of `width` units turn them and
    u into a correction of the encoder's μ and log σ², and them and z into p(u | x, z).

    q(z | x) itself is an integral over u that nobody can do, so `posterior` is not to be had:
    `law_of_u` and `law_of_z` are its two halves. `encode` gives the mean of q(z | u, x) at the mean
    of q(u | x): a code of the image, but not the mean of q(z | x).

    Raises ValueError for sizes that are not positive whole numbers.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        auxiliary=2,
        context=32,
        width=64,
    ):
        super().__init__(latent, net, hidden, likelihood, sigma)
        for name, value in {"auxiliary": auxiliary, "context": context, "width": width}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}.")
        self.config |= {"auxiliary": auxiliary, "context": context, "width": width}
        self.head = nn.Linear(self.encoder[-1].in_features, 2 * auxiliary + context)
        self.guess_z = mlp([context + auxiliary, width, 2 * latent])
        self.guess_u = mlp([context + latent, width, 2 * auxiliary])

    def choice(self, x: Tensor) -> Tensor:
        """What the encoder says of each image: [batch, 2 latent + 2 auxiliary + context]."""
        hidden = self.encoder[:-1](self.check_images(x))
        return torch.cat([self.encoder[-1](hidden), self.head(hidden)], -1).float()

    def law_of_u(self, choice: Tensor) -> td.Distribution:
        """q(u | x) for a choice as `choice(x)` gives it, over [auxiliary]."""
        return _gaussian(self._parts(choice)[1])

    def law_of_z(self, choice: Tensor, u: Tensor) -> td.Distribution:
        """q(z | u, x), for u [..., batch, auxiliary], over [latent]."""
        numbers, _, context = self._parts(choice)
        return _gaussian(numbers + self.guess_z(_beside(u, context)))

    def model_of_u(self, choice: Tensor, z: Tensor) -> td.Distribution:
        """p(u | x, z), for z [..., batch, latent], over [auxiliary]."""
        return _gaussian(self.guess_u(_beside(z, self._parts(choice)[2])))

    def posterior(self, x: Tensor) -> td.Distribution:
        """Raises TypeError: q(z | x) is an integral over u without a formula."""
        raise TypeError(
            "q(z | x) of an AuxiliaryVAE is an integral over u that has no formula; take law_of_u "
            "and law_of_z."
        )

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(x, z) p(u | x, z) / q(u | x) q(z | u, x) at k draws of (u, z): [k, batch], in nats.

        The weight is on the pair: its mean is p(x) all the same, since p(u | x, z) integrates to
        one (Maaløe et al. 2016, eq. 4).
        """
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        choice = self.choice(x)
        q_u = self.law_of_u(choice)
        u = q_u.rsample((k,))
        q_z = self.law_of_z(choice, u)
        z = q_z.rsample()
        joint = self.likelihood(z).log_prob(x) + self.prior.log_prob(z)
        return joint - q_z.log_prob(z) + self.model_of_u(choice, z).log_prob(u) - q_u.log_prob(u)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO from one draw of (u, z), and its three parts, in nats (means).

        "kl" is KL(q(z | u, x) ‖ p(z)), exact for the u drawn; "auxiliary" is
        log q(u | x) − log p(u | x, z), which may be negative: it takes back what "kl" charges for
        the part of z that u decides.
        """
        choice = self.choice(x)
        q_u = self.law_of_u(choice)
        u = q_u.rsample()
        q_z = self.law_of_z(choice, u)
        z = q_z.rsample()
        reconstruction = -self.likelihood(z).log_prob(x).mean()
        kl = gaussian_kl(q_z.mean, q_z.stddev).mean()
        auxiliary = (q_u.log_prob(u) - self.model_of_u(choice, z).log_prob(u)).mean()
        return {
            "loss": reconstruction + kl + auxiliary,
            "reconstruction": reconstruction,
            "kl": kl,
            "auxiliary": auxiliary,
        }

    def encode(self, x: Tensor) -> Tensor:
        """The mean of q(z | u, x) at the mean of q(u | x): [batch, 784] → [batch, latent]."""
        choice = self.choice(x)
        return self.law_of_z(choice, self.law_of_u(choice).mean).mean

    def _parts(self, choice: Tensor) -> tuple[Tensor, ...]:
        sizes = [2 * self.latent, 2 * self.config["auxiliary"], self.config["context"]]
        return choice.split(sizes, -1)


def _gaussian(numbers: Tensor) -> td.Distribution:
    mean, log_variance = numbers.chunk(2, -1)
    return gaussian(mean, (0.5 * log_variance).exp())


def _beside(value: Tensor, context: Tensor) -> Tensor:
    return torch.cat([value, context.expand(*value.shape[:-1], -1)], -1)
