"""The named experiments, and the results that they left in vaeutil/results."""

from vaeutil.experiments.runner import NAMES, RESULTS, WORK, describe, reproduce, result

__all__ = ["NAMES", "RESULTS", "WORK", "describe", "reproduce", "result"]
