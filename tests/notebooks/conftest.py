"""The book's tools on the path, and a wheel of vaeutil installed away from the repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "book" / "_tools"))

import chapters
from clean_room import Away


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """What a wheel is built of, copied, so that nothing an older build left gets into it."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (chapters.ROOT / name).exists():
            shutil.copy(chapters.ROOT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(chapters.ROOT / "vaeutil", copy / "vaeutil", ignore=ignored)
    return copy


@pytest.fixture(scope="session")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "-w", folder, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def away(wheel, tmp_path_factory):
    """An environment with vaeutil installed from its wheel."""
    place = Away(tmp_path_factory.mktemp("away"))
    done = place.run("-m", "pip", "install", "--no-deps", wheel)
    assert done.returncode == 0, done.stderr
    return place
