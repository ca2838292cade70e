"""Models, one file each, over the small base `Model`."""

from vaeutil.models.ae import AE
from vaeutil.models.base import Model
from vaeutil.models.beta import BetaVAE
from vaeutil.models.likelihoods import Bernoulli, gaussian
from vaeutil.models.storage import describe, load, save
from vaeutil.models.vae import VAE

__all__ = ["AE", "VAE", "Bernoulli", "BetaVAE", "Model", "describe", "gaussian", "load", "save"]
