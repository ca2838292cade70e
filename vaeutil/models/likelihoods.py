"""p(x | z): distributions over the 784 pixels of an image, as torch.distributions objects."""

import torch
import torch.distributions as td
from torch import Tensor
from torch.nn import functional as F


class Bernoulli(td.Independent):
    """Independent binary pixels. logits: [..., 784]; log_prob sums over pixels, in nats.

    Equal to torch's own Independent(Bernoulli), by the identity
    log p(x) = x·a − log(1 + eᵃ), a being the logit; for many samples of one image this is faster
    than the binary cross-entropy, which needs x once for every sample. x must be 0 or 1: for grey
    pixels the expression is no likelihood.
    """

    def __init__(self, logits: Tensor):
        # Checking arguments reads them back from the device, once per call: off.
        super().__init__(td.Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """[..., 784] → [...]."""
        logits = self.base_dist.logits
        return torch.linalg.vecdot(logits, value) - F.softplus(logits).sum(-1)


def gaussian(mean: Tensor, std: Tensor) -> td.Independent:
    """Independent Gaussians over the last axis; std broadcasts with mean. log_prob in nats."""
    return td.Independent(td.Normal(mean, std, validate_args=False), 1, validate_args=False)
