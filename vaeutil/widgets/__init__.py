"""Things to drag: live in a notebook, and without a kernel on a static page."""

from vaeutil.widgets._base import Explorable, page_script
from vaeutil.widgets.bells import TwoGaussians
from vaeutil.widgets.blur import BlurExplorer
from vaeutil.widgets.bound import BoundExplorer
from vaeutil.widgets.completion import CompleteDigit
from vaeutil.widgets.draw import DrawDigit
from vaeutil.widgets.explorer import LatentExplorer
from vaeutil.widgets.flow_prior import FlowPriorExplorer
from vaeutil.widgets.hand import OneHand
from vaeutil.widgets.humps import GaussianFit
from vaeutil.widgets.importance import WeightsExplorer
from vaeutil.widgets.layers import FlowLayers
from vaeutil.widgets.live import show_live
from vaeutil.widgets.losslab import LossLab
from vaeutil.widgets.nested import NestedSamples
from vaeutil.widgets.planes import CodePlanes
from vaeutil.widgets.posterior import PosteriorFit
from vaeutil.widgets.prices import PriceGrid
from vaeutil.widgets.priors import PriorExplorer
from vaeutil.widgets.rain import PiExplorer
from vaeutil.widgets.ruler import NumberRuler
from vaeutil.widgets.same import SameCode
from vaeutil.widgets.tradeoff import RateDistortion
from vaeutil.widgets.two_hills import AuxiliaryExplorer
from vaeutil.widgets.water import WaterLevel
from vaeutil.widgets.weighted import WeightedBound

__all__ = [
    "AuxiliaryExplorer",
    "BlurExplorer",
    "BoundExplorer",
    "CodePlanes",
    "CompleteDigit",
    "DrawDigit",
    "Explorable",
    "FlowLayers",
    "FlowPriorExplorer",
    "GaussianFit",
    "LatentExplorer",
    "LossLab",
    "NestedSamples",
    "NumberRuler",
    "OneHand",
    "PiExplorer",
    "PosteriorFit",
    "PriceGrid",
    "PriorExplorer",
    "RateDistortion",
    "SameCode",
    "TwoGaussians",
    "WaterLevel",
    "WeightedBound",
    "WeightsExplorer",
    "page_script",
    "show_live",
]
