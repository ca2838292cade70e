"""The named experiments, and the results that they left in vaeutil/results."""

from vaeutil.experiments.runner import NAMES, reproduce, result

__all__ = ["NAMES", "reproduce", "result"]
