"""What a figure was measured on and with: device, versions, commit."""

import os
import platform
import subprocess
from pathlib import Path

import torch

import vaeutil

PACKAGE = Path(__file__).parent


def processor() -> str:
    """The CPU's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def load() -> float | None:
    """Processes that want a core, averaged over the last minute; None where it is not told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def describe(device: torch.device | str = "cpu") -> dict:
    """The machine in words, for a JSON file: device, threads, cores, load at this moment."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "load": load(),
    }


def versions() -> dict[str, str]:
    """Of Python, torch and vaeutil."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "vaeutil": vaeutil.__version__,
    }


def commit(files: list[Path]) -> dict:
    """{"commit": git's revision, "dirty": whether one of these files differs from it}.

    Both None when the package does not run from a git repository that tracks it.
    """
    try:
        _git("ls-files", "--error-unmatch", "__init__.py")
        return {
            "commit": _git("rev-parse", "HEAD"),
            "dirty": bool(_git("status", "--porcelain", "--", *map(str, files))),
        }
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}


def _git(*words: str) -> str:
    line = ["git", "-C", str(PACKAGE), *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()
