"""Bring the notebooks into their normal form, so that a change in git is a change in the text.

    python book/_tools/strip.py [FILE …]            # part of `make format`
    python book/_tools/strip.py --check [FILE …]    # changes nothing; exit code 1 where one differs

Takes away outputs, execution counts and what editors leave in the metadata; keeps the cells' ids
and tags. Folding needs three marks (the site's tag, Jupyter's, Colab's): the tag `hide-input`
brings the other two, so a writer sets the tag alone. The metadata of the notebook are the same
everywhere: the kernel, and a GPU asked of Colab.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chapters
import nbformat

METADATA = {
    "accelerator": "GPU",
    "colab": {"gpuType": "T4", "provenance": []},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDING = {"cellView": "form", "jupyter": {"source_hidden": True}}


def stripped(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the notebook in its normal form."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    for cell in notebook.cells:
        tags = chapters.tags(cell)
        metadata = {"tags": tags} if tags else {}
        if chapters.FOLDED in tags:
            metadata |= FOLDING
        cell.metadata = nbformat.from_dict(metadata)
        cell.source = cell.source.rstrip("\n")
        cell.setdefault("id", nbformat.v4.new_raw_cell().id)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def main(arguments: list[str] | None = None) -> int:
    """Strip, or check, the notebooks named; all chapters where none is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, report what differs")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    differ = []
    for path in options.files or chapters.paths():
        text = chapters.text(stripped(chapters.read(path)))
        if text == path.read_text(encoding="utf-8"):
            continue
        differ.append(path)
        if options.check:
            print(f"{path}: not in its normal form; run `make format`")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"stripped {path}")
    return 1 if differ and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
