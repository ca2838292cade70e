"""Reading the files of the data sets, and the checksums of what is in them."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib

import numpy as np

IDX_UINT8 = 0x08


class Damaged(ValueError):
    """Bytes that are not what they should be; md5 is that of their contents, where readable."""

    def __init__(self, message: str, md5: str = ""):
        super().__init__(message)
        self.md5 = md5


def decode(raw: bytes, kind: str, md5: str, origin: str) -> np.ndarray:
    """The array in a file's bytes, which came from origin (a path or an address).

    kind "idx": a uint8 array of the shape in its header. kind "rows": uint8 0 or 1, [N, 784], in
    canonical order. Raises Damaged unless the contents have this md5.
    """
    try:
        array, digest = _read(raw, kind)
    except ValueError as error:
        raise Damaged(f"{origin}: {error}") from error
    if digest != md5:
        raise Damaged(f"{origin}: the md5 of its contents is {digest}, not {md5}", digest)
    return array


def _read(raw: bytes, kind: str) -> tuple[np.ndarray, str]:
    unpacked = _unpack(raw)
    if kind == "idx":
        return _idx(unpacked), hashlib.md5(unpacked).hexdigest()
    # 0 and 1 in text, with whatever white space between them.
    digits = np.frombuffer(unpacked.translate(None, b" \t\r\n"), np.uint8)
    return canonical_rows(digits - np.uint8(ord("0")))


def canonical_rows(values: np.ndarray) -> tuple[np.ndarray, str]:
    """Binary images [N, 784] in one fixed order, whatever order they came in, and their md5.

    The rows are sorted, and the sorted rows shuffled with a fixed seed: the first hundred of a
    split are then a fair sample of it, and the same hundred for every copy of the data.
    """
    if values.size == 0 or values.size % 784 or ((values != 0) & (values != 1)).any():
        raise ValueError("it does not hold rows of 784 zeros and ones")
    rows = values.reshape(-1, 784).astype(np.uint8)
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    packed = np.sort(packed.view("S98"), axis=0).view(np.uint8).reshape(-1, 98)
    digest = hashlib.md5(packed.tobytes()).hexdigest()
    # RandomState, because its stream is frozen for ever; that of default_rng is not.
    order = np.random.RandomState(0).permutation(len(packed))
    return np.unpackbits(packed[order], axis=1), digest


def _unpack(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked ({error})") from error


def _idx(unpacked: bytes) -> np.ndarray:
    """An idx file: two zero bytes, type, number of axes, their lengths (big-endian), the values."""
    if len(unpacked) < 4 or unpacked[:2] != b"\0\0" or unpacked[2] != IDX_UINT8:
        raise ValueError("it is not an idx file of bytes")
    axes = unpacked[3]
    start = 4 + 4 * axes
    shape = tuple(int(n) for n in np.frombuffer(unpacked[4:start], ">u4"))
    if len(shape) != axes or len(unpacked) != start + math.prod(shape):
        raise ValueError(f"its {len(unpacked)} bytes are not what its header announces")
    return np.frombuffer(unpacked, np.uint8, offset=start).reshape(shape)
