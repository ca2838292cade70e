"""Models, one file each, over the small base `Model`."""

from vaeutil.models.activated import ActivatedIWAE
from vaeutil.models.ae import AE
from vaeutil.models.auxiliary import AuxiliaryVAE
from vaeutil.models.base import Model
from vaeutil.models.beta import BetaVAE
from vaeutil.models.binary_fvae import BinaryFVAE
from vaeutil.models.causal import CausalVAE
from vaeutil.models.completion import CompletionNet, CompletionVAE
from vaeutil.models.cvae import CVAE
from vaeutil.models.density import FlowDensity
from vaeutil.models.flow import FlowVAE
from vaeutil.models.full import FullVAE
from vaeutil.models.fvae import FVAE
from vaeutil.models.gallery import Gallery
from vaeutil.models.gan import GAN
from vaeutil.models.infovae import CausalInfoVAE, InfoVAE
from vaeutil.models.iwae import IWAE
from vaeutil.models.likelihoods import Bernoulli, gaussian
from vaeutil.models.pixel_flow import PixelFlow
from vaeutil.models.priors import FlowPrior, MixturePrior, PriorVAE, VampPrior, with_prior
from vaeutil.models.storage import describe, load, save
from vaeutil.models.vae import VAE
from vaeutil.models.visible import VisibleBernoulli, VisibleVAE
from vaeutil.models.warm import WarmVAE

__all__ = [
    "AE",
    "CVAE",
    "FVAE",
    "GAN",
    "IWAE",
    "VAE",
    "ActivatedIWAE",
    "AuxiliaryVAE",
    "Bernoulli",
    "BetaVAE",
    "BinaryFVAE",
    "CausalInfoVAE",
    "CausalVAE",
    "CompletionNet",
    "CompletionVAE",
    "FlowDensity",
    "FlowPrior",
    "FlowVAE",
    "FullVAE",
    "Gallery",
    "InfoVAE",
    "MixturePrior",
    "Model",
    "PixelFlow",
    "PriorVAE",
    "VampPrior",
    "VisibleBernoulli",
    "VisibleVAE",
    "WarmVAE",
    "describe",
    "gaussian",
    "load",
    "save",
    "with_prior",
]
