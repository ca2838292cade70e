"""Completing an image from some of its quadrants (Sohn, Lee & Yan 2015, section 5.1).

x = (c, t): c are the pixels seen, t the others, the target. Two models of p(t | c): a network that
gives each target pixel a probability, and a conditional VAE. Both return nats of the target alone.
"""

import torch
import torch.distributions as td
from torch import Tensor

from vaeutil.divergences import gaussian_kl_between
from vaeutil.models.base import Model
from vaeutil.models.likelihoods import Bernoulli, gaussian
from vaeutil.models.vae import VAE
from vaeutil.nets import PIXELS, SIDE, mlp

SEEN = {1: "the lower left", 2: "the left half", 3: "all but the upper right"}


def seen_pixels(quadrants: int) -> Tensor:
    """Which pixels are seen when 1, 2 or 3 quadrants are: bool [784].

    1: the lower left; 2: the left half; 3: all but the upper right. ValueError for other numbers.
    """
    if quadrants not in SEEN:
        raise ValueError(f"1, 2 or 3 quadrants can be seen, not {quadrants!r}.")
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    half = SIDE // 2
    mask[half:, :half] = True
    if quadrants > 1:
        mask[:half, :half] = True
    if quadrants > 2:
        mask[half:, half:] = True
    return mask.flatten()


class _Completion:
    """The two sides of an image, and how to put them together again."""

    def _split(self, quadrants: int) -> tuple[int, int]:
        """Note which pixels are seen; return how many are, and how many are not."""
        self.quadrants = quadrants
        mask = seen_pixels(quadrants)
        self.register_buffer("seen", mask.nonzero()[:, 0], persistent=False)
        self.register_buffer("hidden_pixels", (~mask).nonzero()[:, 0], persistent=False)
        return len(self.seen), len(self.hidden_pixels)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(c, t) of images [batch, 784]: [batch, seen], [batch, hidden]."""
        x = self.check_images(x)
        return x[:, self.seen], x[:, self.hidden_pixels]

    def whole(self, c: Tensor, t: Tensor) -> Tensor:
        """Images [..., batch, 784] from c [batch, seen] and t [..., batch, hidden]."""
        x = t.new_empty(*t.shape[:-1], PIXELS)
        x[..., self.seen] = c
        x[..., self.hidden_pixels] = t
        return x

    def decode(self, *_arguments):
        """Refused: a code alone gives no image. Raises TypeError."""
        raise TypeError("A completion needs the pixels that are seen: use complete or target.")

    sample = reconstruct = preactivations = likelihood = decode

    @torch.no_grad()
    def start_at_mean(self, pixels: Tensor) -> None:
        """Set the output's bias to the logits of the mean target. See `Model.start_at_mean`."""
        mean = pixels.flatten(1)[:, self.hidden_pixels].float().mean(0) / 255
        self.decoder[-1].bias.copy_(torch.logit(mean, eps=1e-3))


class CompletionNet(_Completion, Model):
    """p(t | c) by one network: independent target pixels, each with its probability given c.

    The deterministic baseline: no code, `latent` is 1 and unused. Raises ValueError as
    `seen_pixels` does.
    """

    def __init__(self, quadrants, hidden=(500, 500)):
        super().__init__(1, "mlp", list(hidden))
        self.config = {"quadrants": quadrants, "hidden": list(hidden)}
        seen, unseen = self._split(quadrants)
        self.encoder = None
        self.decoder = mlp([seen, *hidden, unseen])

    def target(self, c: Tensor) -> td.Distribution:
        """p(t | c) for [batch, seen] pixels, over the hidden ones."""
        return Bernoulli(self.decoder(c).float())

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(t | c), exact, k times over: [k, batch], in nats."""
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        c, t = self.parts(x)
        return self.target(c).log_prob(t).expand(k, -1)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−log p(t | c), in nats (mean over the batch)."""
        c, t = self.parts(x)
        return {"loss": -self.target(c).log_prob(t).mean()}


class CompletionVAE(_Completion, VAE):
    """p(t | c) = ∫ p(z | c) p(t | z, c) dz: a conditional VAE given the pixels c.

    - prior p(z | c): diagonal Gaussian from a network of its own, `prior_net`;
    - posterior q(z | x): the encoder reads the whole image, c and t;
    - likelihood p(t | z, c): Bernoulli, the decoder takes the code and then c.

    `log_weights` needs no further argument, because x contains c: with it `elbo` and `nll` of
    vaeutil.evaluation measure log p(t | c). Raises ValueError as the VAE and `seen_pixels` do.
    """

    def __init__(self, quadrants, latent, hidden=(500, 500)):
        super().__init__(latent, "mlp", list(hidden))
        self.config = {"quadrants": quadrants, "latent": latent, "hidden": list(hidden)}
        seen, unseen = self._split(quadrants)
        self.prior_net = mlp([seen, *hidden, 2 * latent])
        self.decoder = mlp([latent + seen, *hidden, unseen])

    def prior_of(self, c: Tensor) -> td.Distribution:
        """p(z | c) for [batch, seen] pixels, over [latent]."""
        mean, log_variance = self.prior_net(c).float().chunk(2, -1)
        return gaussian(mean, (0.5 * log_variance).exp())

    def target(self, z: Tensor, c: Tensor) -> td.Distribution:
        """p(t | z, c) for codes [..., batch, latent] and pixels [batch, seen], over the hidden."""
        both = torch.cat([z, c.to(z.dtype).expand(*z.shape[:-1], -1)], -1)
        return Bernoulli(self.decoder(both.flatten(0, -2)).float().unflatten(0, z.shape[:-1]))

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(t, z | c) − log q(z | x) at k posterior samples of each image: [k, batch], nats."""
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        c, t = self.parts(x)
        q = self.posterior(x)
        z = q.rsample((k,))
        return self.target(z, c).log_prob(t) + self.prior_of(c).log_prob(z) - q.log_prob(z)

    def prior_log_weights(self, x: Tensor, k: int) -> Tensor:
        """log p(t | z, c) at k samples of the prior p(z | c): [k, batch], in nats.

        Their log-mean-exp is the plain Monte Carlo estimate, a far looser bound at the same k.
        """
        c, t = self.parts(x)
        return self.target(self.prior_of(c).sample((k,)), c).log_prob(t)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """The negative bound on log p(t | c) with the exact KL, and its parts, in nats (means)."""
        c, t = self.parts(x)
        q, p = self.posterior(x), self.prior_of(c)
        reconstruction = -self.target(q.rsample(), c).log_prob(t).mean()
        kl = gaussian_kl_between(q.mean, q.stddev, p.mean, p.stddev).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    @torch.no_grad()
    def complete(self, c: Tensor, n: int) -> Tensor:
        """n completions of each [batch, seen]: mean images at draws of z, [n, batch, 784]."""
        return self.whole(c, self.target(self.prior_of(c).sample((n,)), c).mean)
