"""The lint of the notebooks: what the site, Colab, JupyterLab and GitHub all render, in one order.

    python book/_tools/grammar.py [FILE …]    # exit code 1 where a rule is broken

A problem reads `file:cell: message`; cells are counted from 0, as in `notebook.cells`.

A chapter, cell by cell (what its author writes; `make format` and `make stamp` do the rest):

- The first cell: Markdown, tagged `badges`; `make stamp` writes it.
- The second: `# Title`, the question, what the reader will be able to do, what she needs, and
  the minutes. It may go on in further Markdown cells.
- The first code cell, tagged `setup` and `hide-input`; `make stamp` writes it.
- Then something to drag or look at: a code cell before the next `## ` heading, or right after it.
- Sections are `## `; the last ones are, in this order, "What goes wrong", "Exercises",
  "The question answered", "References". A heading is at most one level below the one before.
- A folded cell has the tag `hide-input` and begins with `# @title …`, all that Colab shows of it.
  A cell that draws by hand (`figures.new`, `plt.`) is folded; one call of a ready picture need
  not be. Code cells: median at most 8 lines, none over 30. At least three call `agree(`.
- An equation with a tag, `$$ … \\tag{5.3} $$`, stands between blank lines; several lines mean
  `aligned` inside it. The tag begins with the chapter's number. No macros.
- `**Figure 5.2.**` begins the caption, a paragraph of its own, under the cell that draws.
- References read `Eq. (5.3)`, `Figure 5.2`, `Exercise 5.1`, `[chapter 4](04_elbo.ipynb)`, with no
  other spelling. Citations are plain links.
- An exercise is three cells in a row:
  1. Markdown: `### Exercise 5.1 · Title`, the task, and the solution in `<details>` with exactly
     one ```python fence: the whole text of the answer cell, solved.
  2. Code, tagged `answer-5.1`: what is left to the reader is `...`, as in `share = ...` or
     `return ...`.
  3. Code, tagged `check-5.1`: where the answer, or what it returns, `is ...`, it prints a line
     that begins `Not solved yet:`; else it tests it with `agree` and prints a line that begins
     `Solved:`. Both words stand at the beginning of a string in the cell:

         if share is ...:
             print("Not solved yet: put the share in place of the dots.")
         else:
             agree("share", share, 0.25, atol=1e-6)
             print("Solved: a quarter of the pixels.")
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import chapters
import grammar_cells
import grammar_references
import grammar_text

RULES = [*grammar_text.RULES, *grammar_cells.RULES]


def problems(paths: Iterable[Path], pages: Iterable[Path] = ()) -> list[str]:
    """What is wrong with these notebooks, taken as one book; of the prose pages, the references."""
    notebooks = {path: chapters.read(path) for path in paths}
    found = [
        f"{path.name}:{place}: {message}"
        for path, notebook in notebooks.items()
        for rule in RULES
        for place, message in rule(path, notebook)
    ]
    for rule in grammar_references.RULES:
        found += [f"{path.name}:{place}: {message}" for path, place, message in rule(notebooks)]
    return found + grammar_references.pages(notebooks, pages)


def main(arguments: list[str]) -> int:
    """Check the notebooks named, as a book of their own; where none is named, the whole book."""
    paths = [Path(name) for name in arguments] or chapters.paths()
    found = problems(paths, () if arguments else chapters.pages())
    print("\n".join(found) or f"{len(paths)} notebooks, no problem")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
