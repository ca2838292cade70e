"""Where executed notebooks are kept, so that nothing stale is ever shown.

The cache of Jupyter Book keys on a notebook alone: after a change in `vaeutil` it would show old
outputs. So the folder of the cache is named by a hash of everything else that an output can
depend on. A change of any of it is a new folder, and every notebook is executed again.
"""

import hashlib
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]
CACHES = Path("_build") / "executed"
KEEP = 2  # the current folder, and the one before it for a change that is taken back
RECORD = "environment.json"
SKIP = {"__pycache__", ".ipynb_checkpoints"}


def hash_files(paths, root: Path) -> str:
    """One sha256 (hex) over the names, relative to `root`, and the bytes of `paths`.

    A folder stands for every file below it. What is not there is left out.
    """
    files = set()
    for path in paths:
        found = path.rglob("*") if path.is_dir() else [path]
        files.update(file for file in found if file.is_file() and not SKIP & set(file.parts))
    total = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{content}  {file.relative_to(root).as_posix()}\n".encode())
    return total.hexdigest()


def processor() -> str:
    """The processor's name in words, as well as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def environment(root: Path = ROOT) -> dict[str, str]:
    """Everything beside the notebook itself that its outputs can depend on.

    Raises ExtensionError in the profile "smoke", whose outputs are for tests and not for readers.
    """
    import vaeutil
    from vaeutil.data import load_images

    profile = vaeutil.profile()
    if profile == "smoke":
        raise ExtensionError(
            "VAEUTIL_PROFILE is smoke: its models are hardly trained, so they must not end up in "
            "the book. Unset it, or set it to book or full."
        )
    images = load_images()
    return {
        "profile": profile,
        "data": images.name,
        "checksum": images.checksum,
        "vaeutil": hash_files([root / "vaeutil"], root),
        "requirements": hash_files([root / "requirements.txt"], root),
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def cache_folder(found: dict[str, str], root: Path = ROOT) -> Path:
    """The folder of the notebooks executed in the environment `found`."""
    name = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    return root / CACHES / name


def open_cache(found: dict[str, str], root: Path = ROOT) -> Path:
    """Make the cache folder, note in it what it stands for, remove all but the newest KEEP."""
    folder = cache_folder(found, root)
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    record = folder / RECORD
    if not record.is_file():
        machine = f"{processor()}, {os.cpu_count()} cores"
        record.write_text(json.dumps({**found, "machine": machine}, indent=1) + "\n")
    newest = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in newest[:-KEEP]:
        shutil.rmtree(old)
    return folder


def use_cache(app, config) -> None:
    """Point myst-nb at the folder (config-inited); a new folder makes Sphinx read all again."""
    config.nb_execution_cache_path = str(open_cache(environment()))


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", use_cache)
    return {"version": "1"}
