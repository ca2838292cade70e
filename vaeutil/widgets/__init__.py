"""Things to drag: live in a notebook, and without a kernel on a static page."""

from vaeutil.widgets._base import Explorable, page_script
from vaeutil.widgets.explorer import LatentExplorer

__all__ = ["Explorable", "LatentExplorer", "page_script"]
