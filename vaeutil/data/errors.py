"""What can be wrong with data."""


class DataUnavailable(OSError):
    """A data set that cannot be had; the message names every place tried and what to do.

    reason: what went wrong at the first mirror, in a few words.
    """

    def __init__(self, message: str, reason: str = ""):
        super().__init__(message)
        self.reason = reason


class DataDamaged(DataUnavailable):
    """A file that the reader put into VAEUTIL_DATA and that is truncated, altered or another."""
