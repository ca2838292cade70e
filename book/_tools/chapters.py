"""Reading and writing the chapters, and what the tools say of a cell."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
FOLDED = "hide-input"  # the site folds cells with this tag


def paths(root: Path = ROOT) -> list[Path]:
    """The chapters, in order."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    """One notebook, as it is in the file."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def text(notebook: nbformat.NotebookNode) -> str:
    """The contents of a notebook's file: keys sorted, one space of indent, a newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[int]:
    """The places of the cells that have this tag."""
    return [place for place, cell in enumerate(notebook.cells) if tag in tags(cell)]


def chapter(path: Path) -> int | None:
    """The number in a notebook's name: 5 for 05_vae.ipynb; None where it has none."""
    number = re.match(r"(\d+)_", path.name)
    return int(number[1]) if number else None
