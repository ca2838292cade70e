"""The VAE that is told the class: p(x | y) (Sohn et al. 2015; Kingma et al. 2014, "M2").

CVAE here means conditional VAE; in some tutorials the same letters mean a convolutional one.
"""

import math

import torch
import torch.distributions as td
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.divergences import gaussian_kl_between
from vaeutil.models.likelihoods import Bernoulli, gaussian
from vaeutil.models.vae import VAE
from vaeutil.nets import PIXELS, mlp

PRIORS = ("fixed", "learned")


class CVAE(VAE):
    """A VAE of images given their class y, one of `classes`: a lower bound on log p(x | y).

    - prior p(z | y): "fixed", N(0, I) for every class; or "learned", N(m_y, diag s_y²);
    - posterior q(z | x, y), or q(z | x) where not `encoder_sees`: the encoder takes the image and
      then, where it sees it, the class as a one-hot vector;
    - likelihood p(x | z, y): Bernoulli, the decoder takes the code and then the one-hot class.

    Labels are int64 [batch]. Without labels, `log_weights` and `sample` are those of the marginal
    p(x) = Σ_y p(y) p(x | y), p(y) uniform. Fully connected networks only (`hidden`: their widths).

    Raises ValueError for fewer than two classes, an unknown prior, another net than "mlp", and
    labels that are not whole numbers from 0 to classes − 1, one an image.
    """

    def __init__(
        self, latent, net="mlp", hidden=None, classes=10, prior="fixed", encoder_sees=True
    ):
        if net != "mlp":
            raise ValueError(f'A CVAE has fully connected networks, net="mlp", not {net!r}.')
        if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
            raise ValueError(f"classes must be a whole number from 2 on, not {classes!r}.")
        if prior not in PRIORS:
            raise ValueError(f"prior is {prior!r}; choose one of {', '.join(PRIORS)}.")
        super().__init__(latent, net, hidden)
        hidden = self.config["hidden"]
        self.config = {"latent": latent, "net": net, "hidden": hidden, "classes": classes}
        self.config |= {"prior": prior, "encoder_sees": bool(encoder_sees)}
        self.classes, self.encoder_sees = classes, bool(encoder_sees)
        seen = PIXELS + classes * self.encoder_sees
        self.encoder = mlp([seen, *hidden, 2 * latent])
        self.decoder = mlp([latent + classes, *hidden, PIXELS])
        if prior == "learned":
            self.prior_mean = nn.Parameter(torch.zeros(classes, latent))
            self.prior_log_std = nn.Parameter(torch.zeros(classes, latent))

    @property
    def prior(self) -> td.Distribution:
        """p(z) = Σ_y p(y) p(z | y), over [latent]: N(0, I), or a mixture where it is learned."""
        if self.config["prior"] == "fixed":
            return super().prior
        each = td.Categorical(logits=torch.zeros(self.classes, device=self.device))
        labels = torch.arange(self.classes, device=self.device)
        return td.MixtureSameFamily(each, self.prior_of(labels), validate_args=False)

    def prior_of(self, y: Tensor) -> td.Distribution:
        """p(z | y) for labels [batch], over [latent]."""
        self.check_labels(y)
        if self.config["prior"] == "learned":
            return gaussian(self.prior_mean[y], self.prior_log_std[y].exp())
        mean = self.origin.expand(len(y), -1)
        return gaussian(mean, torch.ones_like(mean))

    def posterior(self, x: Tensor, y: Tensor | None = None) -> td.Distribution:
        """q(z | x, y) for [batch, 784] images and labels [batch], over [latent]."""
        x = self.check_images(x)
        if self.encoder_sees:
            if y is None:
                raise ValueError("This encoder sees the class: give the labels as well.")
            x = torch.cat([x, self.one_hot(y, len(x)).to(x.dtype)], -1)
        mean, log_variance = self.encoder(x).float().chunk(2, -1)
        return gaussian(mean, (0.5 * log_variance).exp())

    def preactivations(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Raw output: codes [..., batch, latent], labels [batch] → [..., batch, 784]."""
        if z.shape[-1] != self.latent:
            raise ValueError(f"A code has {self.latent} numbers, not {z.shape[-1]}.")
        if y is None:
            raise ValueError("This decoder needs the class: give the labels as well.")
        label = self.one_hot(y, z.shape[-2]).to(z.dtype).expand(*z.shape[:-1], self.classes)
        flat = torch.cat([z, label], -1).reshape(-1, self.latent + self.classes)
        return self.decoder(flat).float().reshape(*z.shape[:-1], PIXELS)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Mean images of codes [..., batch, latent] in the classes [batch] → [..., batch, 784]."""
        return self.preactivations(z, y).sigmoid()

    def likelihood(self, z: Tensor, y: Tensor | None = None) -> td.Distribution:
        """p(x | z, y) for codes [..., batch, latent] and labels [batch], over [784]."""
        return Bernoulli(self.preactivations(z, y))

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(x, z | y) − log q(z | x, y) at k posterior samples of each image: [k, batch], nats.

        The mean over k is a bound on log p(x | y), log-mean-exp tends to it. Without labels, the
        weights of all classes are averaged, log Σ_y p(y) w_y, each class with codes of its own: the
        same two statements then hold for log p(x), at `classes` times the cost.
        """
        if y is None:
            each = self.class_log_weights(x, k)
            return each.logsumexp(0) - math.log(self.classes)
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        q = self.posterior(x, y)
        z = q.rsample((k,))
        return self.likelihood(z, y).log_prob(x) + self.prior_of(y).log_prob(z) - q.log_prob(z)

    def class_log_weights(self, x: Tensor, k: int) -> Tensor:
        """`log_weights` of each image in each class: [classes, k, batch], in nats."""
        labels = torch.arange(self.classes, device=x.device)
        return torch.stack([self.log_weights(x, k, y.expand(len(x))) for y in labels])

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """The negative bound on log p(x | y) with the exact KL, and its two parts, nats (means)."""
        q, p = self.posterior(x, y), self.prior_of(y)
        reconstruction = -self.likelihood(q.rsample(), y).log_prob(x).mean()
        kl = gaussian_kl_between(q.mean, q.stddev, p.mean, p.stddev).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The posterior mean of each image in its class: [batch, latent]."""
        return self.posterior(x, y).mean

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Decode the codes of x in their class: [batch, 784], [batch] → [batch, 784], means."""
        return self.decode(self.encode(x, y), y)

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | None = None) -> Tensor:
        """Decoder means at n draws from p(z | y): [n, 784]; labels drawn uniformly if not given."""
        if y is None:
            y = torch.randint(self.classes, (n,), device=self.device)
        return self.decode(self.prior_of(y).sample(), y)

    def check_labels(self, y: Tensor) -> Tensor:
        """Return y. Raises ValueError unless it is one row of classes."""
        if not isinstance(y, Tensor) or y.dtype != torch.int64 or y.ndim != 1:
            raise ValueError("Labels are an int64 tensor [batch], one an image.")
        # On a GPU the comparison would wait for the device, in every step.
        if y.device.type == "cpu" and len(y) and not 0 <= y.min() <= y.max() < self.classes:
            raise ValueError(f"Labels go from 0 to {self.classes - 1}; -1 means unknown.")
        return y

    def one_hot(self, y: Tensor, batch: int) -> Tensor:
        """Labels [batch] → [batch, classes], checked."""
        if self.check_labels(y).numel() != batch:
            raise ValueError(f"{batch} images or codes need as many labels, not {y.numel()}.")
        return F.one_hot(y, self.classes)
