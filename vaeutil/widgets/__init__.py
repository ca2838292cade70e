"""Things to drag: live in a notebook, and without a kernel on a static page."""

from vaeutil.widgets._base import Explorable, page_script
from vaeutil.widgets.draw import DrawDigit
from vaeutil.widgets.explorer import LatentExplorer
from vaeutil.widgets.planes import CodePlanes
from vaeutil.widgets.tradeoff import RateDistortion
from vaeutil.widgets.water import WaterLevel

__all__ = [
    "CodePlanes",
    "DrawDigit",
    "Explorable",
    "LatentExplorer",
    "RateDistortion",
    "WaterLevel",
    "page_script",
]
