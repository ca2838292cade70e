"""Execute the notebooks and build the site; say where it is. Nothing is done twice."""

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from book_execution import ExtensionError, environment, hash_files  # noqa: E402

HTML = ROOT / "_build" / "html"
STAMP = ROOT / "_build" / "site.sha256"
INPUTS = ("_config.yml", "_toc.yml", "book", "notebooks", "vaeutil", "requirements.txt")


def state(found: dict[str, str], root: Path = ROOT) -> str:
    """One hash over everything the site depends on: its files and its environment."""
    files = hash_files([root / name for name in INPUTS], root)
    return hashlib.sha256(f"{files} {json.dumps(found)}".encode()).hexdigest()


def build() -> int:
    """Build the site from nothing but the executed notebooks; the exit status."""
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(HTML, ignore_errors=True)  # or pages that left the contents would stay
    command = Path(sysconfig.get_path("scripts"), "jupyter-book")
    return subprocess.run(
        [command, "build", ROOT, "--all", "-W", "-n", "--keep-going"], cwd=ROOT
    ).returncode


def main() -> None:
    """Build if anything has changed."""
    started = time.monotonic()
    try:
        wanted = state(environment())
    except (ExtensionError, ValueError, OSError) as error:
        raise SystemExit(f"The book cannot be built: {error}") from None
    if STAMP.exists() and STAMP.read_text() == wanted and (HTML / "index.html").exists():
        print("Nothing has changed since the last build.")
    elif status := build():
        raise SystemExit(f"The book was not built (status {status}): see the messages above.")
    else:
        STAMP.write_text(wanted)
        print(f"\nBuilt in {time.monotonic() - started:.0f} s.")
    print(f"The book is in {HTML}\nTo read it: make serve, or open {HTML / 'index.html'}")


if __name__ == "__main__":
    main()
