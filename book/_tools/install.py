"""Make the virtual environment and install requirements files into it, unless that is done.

    python3 book/_tools/install.py requirements.txt tests/requirements.txt

A file is installed again only when it, pyproject.toml or the choice of torch has changed. The
environment variable TORCH=cpu takes torch from its own index of builds for the CPU.
"""

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
TORCH_INDEX = {"": [], "cpu": ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]}


def fingerprint(requirements: Path, torch: str) -> str:
    """One hash over what an installation depends on."""
    total = hashlib.sha256(f"{sys.version} {torch}\n".encode())
    for path in (requirements, ROOT / "pyproject.toml"):
        total.update(path.read_bytes())
    return total.hexdigest()


def make_environment() -> None:
    """Make .venv with the Python that runs this, if it is not there."""
    if PYTHON.exists():
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone meets an older Python
        raise SystemExit("The book needs Python 3.11 or later: make PYTHON=python3.12 ...")
    print(f"Making {FOLDER} with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(FOLDER, with_pip=True, symlinks=os.name != "nt")
    except (ImportError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"This Python cannot make a virtual environment ({error}).\n"
            "On Debian and Ubuntu its module is a package of its own: apt install python3-venv"
        ) from None


def install(name: str, torch: str) -> None:
    """Install one requirements file, named relative to the root."""
    requirements = ROOT / name
    stamp = FOLDER / f"installed-{name.replace('/', '-')}.sha256"
    wanted = fingerprint(requirements, torch)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {name}", flush=True)
    stamp.unlink(missing_ok=True)
    # Not compiled now: Python compiles what is imported, and most of it never is.
    options = ("--quiet", "--no-compile", "--disable-pip-version-check")
    pip = [PYTHON, "-m", "pip", "install", *options]
    # The build tool first, at its own pin: then vaeutil needs no download of an unpinned one.
    tools = re.findall(r"^(?:setuptools|wheel)==\S+", requirements.read_text(), re.MULTILINE)
    if tools:
        subprocess.run([*pip, *tools], cwd=ROOT, check=True)
    command = [*pip, *TORCH_INDEX[torch], "--no-build-isolation", "-r", requirements]
    subprocess.run(command, cwd=ROOT, check=True)
    stamp.write_text(wanted)


def main() -> None:
    """Install the files named on the command line."""
    torch = os.environ.get("TORCH", "")
    if torch not in TORCH_INDEX:
        raise SystemExit(f"TORCH is {torch!r}; leave it out, or say TORCH=cpu.")
    make_environment()
    try:
        for name in sys.argv[1:]:
            install(name, torch)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"Installing failed: pip ended with {error.returncode}.") from None


if __name__ == "__main__":
    main()
