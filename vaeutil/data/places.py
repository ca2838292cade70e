"""The places where the files of a data set are looked for, in order."""

from __future__ import annotations

import os
import sys
import zipfile
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch

from vaeutil.data.errors import DataDamaged, DataUnavailable
from vaeutil.data.fetch import Fetcher, Patience
from vaeutil.data.formats import Damaged, canonical_rows, decode
from vaeutil.data.sources import SOURCES, File, Source

Arrays = list[np.ndarray]
# What numpy raises for a damaged .npz, found by damaging many (RuntimeError: a flag or a version
# that zip files may have and this one has not).
BAD_ARCHIVE = (
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def gather(source: Source, patience: Patience) -> tuple[Arrays, str]:
    """The arrays of a set's files and the place they came from, in words.

    In order: VAEUTIL_DATA, the cache, system packages, the mirrors. Raises DataDamaged for a file
    in VAEUTIL_DATA that is not what it should be, DataUnavailable where no place has the set.
    """
    tried: list[str] = []
    arrays, where = look(source, tried)
    failures: list[str] = []
    if arrays is None:
        arrays, where = _from_mirrors(source, patience, failures)
    if arrays is None:
        places = "\n".join(f"  - {line}" for line in tried + failures)
        raise DataUnavailable(
            f"The data set {source.name} cannot be had. Tried:\n{places}\n"
            f"What to do: put its files ({', '.join(file.name for file in source.files)}) into a"
            " folder and name that folder in the environment variable VAEUTIL_DATA; or connect to"
            ' the network and try again; or use the digits that need neither: "mnist-5k".',
            reason=failures[0],
        )
    return arrays, where


def look(source: Source, tried: list[str]) -> tuple[Arrays | None, str]:
    """The same without the network; (None, "") where no place has it, with the reasons in tried."""
    if (arrays := _from_own_folder(source, tried)) is not None:
        return arrays, "the folder in VAEUTIL_DATA"
    if (arrays := _from_cache(source, tried)) is not None:
        return arrays, "the cache"
    for folder in map(Path, source.system):
        if (arrays := _from_system(source, folder, tried)) is not None:
            return arrays, f"the system's package in {folder}"
    return None, ""


def cache_folder(source: Source) -> Path:
    """Where the files of a set are kept once fetched (on Linux, below XDG_CACHE_HOME)."""
    return Path(pooch.os_cache("vaeutil")) / source.folder


def _from_own_folder(source: Source, tried: list[str]) -> Arrays | None:
    name = os.environ.get("VAEUTIL_DATA", "")
    if not name:
        tried.append("VAEUTIL_DATA: not set")
        return None
    own = Path(name).expanduser()
    if not own.is_dir():
        raise NotADirectoryError(f"VAEUTIL_DATA is {name!r}, which is no folder: mend or unset it.")
    for folder in (own / source.folder, own):
        try:
            if source.archive and (folder / source.archive).is_file():
                return read_archive(folder / source.archive, source)
            paths = [_find(folder, file) for file in source.files]
            if all(paths):
                return [
                    decode(path.read_bytes(), source.kind, file.md5, str(path))
                    for path, file in zip(paths, source.files, strict=True)
                ]
        except Damaged as error:
            # mnist and fashion-mnist have the same file names: the other set is not a bad file.
            others = (other for other in SOURCES.values() if other.name != source.name)
            if any(error.md5 == file.md5 for other in others for file in other.files):
                tried.append(f"VAEUTIL_DATA: {folder} holds another data set")
                continue
            raise DataDamaged(
                f"{error}. The file is truncated or altered and is not used. Replace it by a good"
                f" copy, or delete it (or unset VAEUTIL_DATA) to have {source.name} fetched."
            ) from error
        missing = [f.name for f, path in zip(source.files, paths, strict=True) if path is None]
        if len(missing) < len(paths):
            tried.append(f"VAEUTIL_DATA: {folder} lacks {', '.join(missing)}")
    tried.append(f"VAEUTIL_DATA: {own} does not hold it")
    return None


def _from_cache(source: Source, tried: list[str]) -> Arrays | None:
    arrays = [cached(source, file) for file in source.files]
    if any(array is None for array in arrays):
        tried.append(f"the cache: {cache_folder(source)} does not hold all of it")
        return None
    return arrays


def cached(source: Source, file: File) -> np.ndarray | None:
    """A file's array from the cache; a bad file there is deleted, with a line that says so."""
    path = _find(cache_folder(source), file)
    if path is None:
        return None
    try:
        try:
            return decode(path.read_bytes(), source.kind, file.md5, str(path))
        except Damaged as error:
            path.unlink(missing_ok=True)
            print(f"{error}. Deleted from the cache, to be fetched again.", file=sys.stderr)
    except OSError as error:  # not ours to read or delete, or just deleted by another process
        print(f"The cache: {error}", file=sys.stderr)
    return None


def _from_system(source: Source, folder: Path, tried: list[str]) -> Arrays | None:
    paths = [_find(folder, file) for file in source.files]
    if not all(paths):
        tried.append(f"a system package: {folder} does not hold it")
        return None
    try:
        return [
            decode(path.read_bytes(), source.kind, file.md5, str(path))
            for path, file in zip(paths, source.files, strict=True)
        ]
    except (Damaged, OSError) as error:
        tried.append(f"a system package: {error}")
        return None


def _from_mirrors(
    source: Source, patience: Patience, failures: list[str]
) -> tuple[Arrays | None, str]:
    fetcher = Fetcher(source, cache_folder(source), patience)
    arrays = []
    for file in source.files:
        array = cached(source, file)
        if array is None:
            array = fetcher.fetch(file)
        if array is None:
            failures.extend(fetcher.failures)
            return None, ""
        arrays.append(array)
    return arrays, f"{urlsplit(fetcher.mirrors[0]).hostname} (kept in the cache)"


def _find(folder: Path, file: File) -> Path | None:
    """A file in a folder, packed or unpacked."""
    for name in (file.name, file.name.removesuffix(".gz")):
        if (folder / name).is_file():
            return folder / name
    return None


def read_archive(path: Path, source: Source) -> Arrays:
    """Training, validation and test images from one .npz file. Raises Damaged for a bad one."""
    arrays = []
    for part, file in zip(("train", "valid", "test"), source.files, strict=True):
        try:
            with np.load(path) as archive:
                rows, digest = canonical_rows(archive[part])
        except BAD_ARCHIVE as error:
            raise Damaged(f"{path}: {error}") from error
        if digest != file.md5:
            raise Damaged(f"{path}: the md5 of {part} is {digest}, not {file.md5}", digest)
        arrays.append(rows)
    return arrays
