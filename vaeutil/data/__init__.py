"""Images by name, verified, with their provenance; and how a model observes them."""

from vaeutil.data.errors import DataDamaged, DataUnavailable
from vaeutil.data.images import Images, Provenance, Split
from vaeutil.data.load import NAMES, load_images, report
from vaeutil.data.observe import KINDS, observe

__all__ = [
    "KINDS",
    "NAMES",
    "DataDamaged",
    "DataUnavailable",
    "Images",
    "Provenance",
    "Split",
    "load_images",
    "observe",
    "report",
]
