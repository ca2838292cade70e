"""How long the book takes to build: `python tests/bench_build.py [--save]`.

In a temporary clone of the last commit, which has neither a site nor executed notebooks: cold, the
whole of it; then again with nothing changed; then with one asset changed. The cold build takes as
long as `make book` does the first time. --save writes vaeutil/results/bench/build.json.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vaeutil import bench, profile
from vaeutil.bench.report import machine_lines

ROOT = Path(__file__).parents[1]
ASSET = "book/assets/book.css"
BUILD = (sys.executable, "book/_tools/build.py")


def clone(folder: Path, root: Path = ROOT) -> Path:
    """A clone of the last commit of `root`, in `folder`."""
    target = folder / "book"
    subprocess.run(["git", "clone", "--quiet", str(root), str(target)], check=True)
    return target


def seconds(folder: Path, command=BUILD) -> float:
    """Wall seconds of the command there. Raises RuntimeError with its last words if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}  # the clone's own vaeutil
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"The build failed (status {done.returncode}):\n{done.stdout[-2000:]}")
    return time.perf_counter() - start


def change_asset(folder: Path) -> None:
    """Add a comment to the style sheet."""
    with (folder / ASSET).open("a", encoding="utf-8") as file:
        file.write("\n/* changed */\n")


def measure(folder: Path, command=BUILD) -> dict[str, float]:
    """Seconds of the three builds in a clone, in this order: cold, unchanged, asset."""
    found = {"cold": seconds(folder, command), "unchanged": seconds(folder, command)}
    change_asset(folder)
    return {**found, "asset": seconds(folder, command)}


def lines_of(figures: dict) -> list[str]:
    """The times as text, and as shares of the cold one."""
    found = figures["seconds"]
    cold = found["cold"]
    return [
        f"build of {figures['notebooks']} notebooks in the profile {figures['profile']}: "
        f"cold {cold:.0f} s; nothing changed {found['unchanged']:.1f} s "
        f"({found['unchanged'] / cold:.1%}); one asset changed {found['asset']:.1f} s "
        f"({found['asset'] / cold:.1%})"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the build of the book.")
    parser.add_argument("--save", action="store_true", help=f"write build.json to {bench.SAVED}")
    save = parser.parse_args().save
    about = bench.header()
    print("\n".join(machine_lines(about)), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = clone(Path(temporary))
        notebooks = len(list((folder / "notebooks").glob("*.ipynb")))
        figures = {
            **about,
            "profile": profile(),
            "notebooks": notebooks,
            "seconds": measure(folder),
        }
    print("\n".join(lines_of(figures)), flush=True)
    if save:
        bench.save("build", figures)


if __name__ == "__main__":
    main()
