"""Reading and writing the chapters, and what the tools say of a cell."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import nbformat.reader

ROOT = Path(__file__).resolve().parents[2]
FOLDED = "hide-input"  # the site folds cells with this tag


def paths(root: Path = ROOT) -> list[Path]:
    """The chapters, in order."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    """One notebook, as it is in the file."""
    # nbformat.read would mend cells without ids, or with the same, before anybody sees them.
    return nbformat.reader.reads(path.read_text(encoding="utf-8"))


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


def pages(root: Path = ROOT) -> list[Path]:
    """The prose pages, which may use all of MyST."""
    return sorted(path for path in (root / "book").rglob("*.md") if "_build" not in path.parts)


def markdown(notebook: nbformat.NotebookNode) -> list[tuple[int, nbformat.NotebookNode]]:
    """The Markdown cells, with their places."""
    return [it for it in enumerate(notebook.cells) if it[1].cell_type == "markdown"]


def code(notebook: nbformat.NotebookNode) -> list[tuple[int, nbformat.NotebookNode]]:
    """The code cells, with their places."""
    return [it for it in enumerate(notebook.cells) if it[1].cell_type == "code"]


def fences(source: str, language: str = "python") -> list[str]:
    """The contents of the fences in this language."""
    pattern = rf"^ *(`{{3,}}){language} *\n(.*?)^ *\1 *$"
    return [
        found[1].rstrip("\n") for found in re.findall(pattern, source, re.DOTALL | re.MULTILINE)
    ]


def split_answer(source: str) -> tuple[str, str]:
    """An answer cell's given part, and its statements with `...`, which are left to the reader."""

    def open_(node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript):  # the dots of x[..., 0] are none of ours
            return open_(node.value)
        dots = isinstance(node, ast.Constant) and node.value is ...
        return dots or any(map(open_, ast.iter_child_nodes(node)))

    parts = {False: [], True: []}
    for statement in ast.parse(source).body:
        parts[open_(statement)].append(ast.get_source_segment(source, statement))
    return "\n".join(parts[False]), "\n".join(parts[True])


def prose(cell: nbformat.NotebookNode) -> str:
    """The text of a Markdown cell with its code blanked out; the lines stay where they are."""

    def blank(found: re.Match) -> str:
        return "`" + re.sub(r"[^\n]", "x", found[0][1:-1]) + "`"

    fence = re.compile(r"^ *(`{3,}|~{3,}).*?(?:^ *\1 *$|\Z)", re.DOTALL | re.MULTILINE)
    span = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
    return span.sub(blank, fence.sub(blank, cell.source))
