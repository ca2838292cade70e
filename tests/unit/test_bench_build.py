"""The bench of the build: on a stand-in for the repository, with a command of our own."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import bench_build

# Notes what it finds, as a build would: whether a site is there, and the style sheet.
COMMAND = """
import os, pathlib, vaeutil
log = pathlib.Path("log"); site = pathlib.Path("_build/html")
style = pathlib.Path("book/assets/book.css").read_text()
with log.open("a") as file:
    print(site.exists(), "changed" in style, vaeutil.WHERE, file=file)
site.mkdir(parents=True, exist_ok=True)
"""


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "root"
    for name, text in {
        "book/assets/book.css": "a {}",
        "vaeutil/__init__.py": "WHERE = 'clone'",
        "_build/html/index.html": "",
        ".gitignore": "_build/",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *words], check=True)
    return root


def test_cold_then_unchanged_then_an_asset(repository, tmp_path):
    folder = bench_build.clone(tmp_path / "temporary", repository)
    found = bench_build.measure(folder, (sys.executable, "-c", COMMAND))
    assert list(found) == ["cold", "unchanged", "asset"]
    assert all(value > 0 for value in found.values())
    looks = (folder / "log").read_text().splitlines()
    assert looks == ["False False clone", "True False clone", "True True clone"]
    assert "changed" not in (repository / "book/assets/book.css").read_text()


def test_a_build_that_fails_is_told(tmp_path):
    command = (sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)")
    with pytest.raises(RuntimeError, match=r"status 3\):\nwhat went wrong"):
        bench_build.seconds(tmp_path, command)


def test_the_lines_give_shares():
    figures = {"seconds": {"cold": 200.0, "unchanged": 2.0, "asset": 50.0}}
    figures |= {"notebooks": 20, "profile": "book"}
    (line,) = bench_build.lines_of(figures)
    assert "of 20 notebooks in the profile book: cold 200 s" in line
    assert "nothing changed 2.0 s (1.0%); one asset changed 50.0 s (25.0%)" in line


def test_what_it_runs_and_changes_is_there():
    assert (bench_build.ROOT / bench_build.ASSET).exists()
    assert (bench_build.ROOT / bench_build.BUILD[1]).exists()
