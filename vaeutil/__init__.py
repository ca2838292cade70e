"""Helpers of the book: data, networks, models, training, evaluation, pictures, sliders."""

import os

# Threads that spin while they wait starve their neighbours: with two processes on two cores this
# setting is worth a factor of more than ten. It counts only before torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

PROFILES = ("smoke", "book", "full")


def profile() -> str:
    """How much a notebook trains: "smoke" (tests), "book" (default) or "full" (longer, on a GPU).

    Set by the environment variable VAEUTIL_PROFILE. Raises ValueError for any other word.
    """
    name = os.environ.get("VAEUTIL_PROFILE", "book")
    if name not in PROFILES:
        raise ValueError(f"VAEUTIL_PROFILE is {name!r}; set it to one of {', '.join(PROFILES)}.")
    return name


def budget(*, smoke: int, book: int, full: int) -> int:
    """The number (of steps, images, samples) that belongs to the current profile."""
    return {"smoke": smoke, "book": book, "full": full}[profile()]
