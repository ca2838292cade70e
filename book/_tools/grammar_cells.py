"""Rules for the cells of a notebook: their normal form, their size and order, the exercises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import chapters
from chapters import FOLDED, code, fences, markdown, prose, split_answer, tagged, tags
from nbformat import NotebookNode
from nbformat.validator import iter_validate
from strip import FOLDING, METADATA

Problems = Iterator[tuple[int, str]]

MEDIAN, LONGEST, AGREEMENTS, EXERCISES = 8, 30, 3, 5
LAST_SECTIONS = ["What goes wrong", "Exercises", "The question answered", "References"]
OPENING = ["question", "able to", "need", "minutes"]  # what the opening tells, in these words
BY_HAND = r"\bfigures\.new\(|\bplt\.|\bax(?:es)?(?:\[.*?\])?\.\w+\("
EXERCISE = r"^### Exercise (\d+\.\d+) · (\S.*)$"


def form(path: Path, notebook: NotebookNode) -> Problems:
    """A valid notebook with its ids, its kernel, a GPU asked of Colab, and no outputs."""
    for error in iter_validate(notebook):
        yield 0, f"not a valid notebook: {error.message}"
    for key, value in METADATA.items():
        if notebook.metadata.get(key) != value:
            yield 0, f"metadata {key!r} must be {value}; `make format` writes it"
    seen = set()
    for place, cell in enumerate(notebook.cells):
        if not cell.get("id") or cell.id in seen:
            yield place, f"a cell without an id of its own: {cell.get('id')!r}"
        seen.add(cell.get("id"))
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield place, "outputs or an execution count; `make format` takes them away"


def size(path: Path, notebook: NotebookNode) -> Problems:
    """Short cells."""
    lengths = {place: len(cell.source.splitlines()) for place, cell in code(notebook)}
    if lengths and median(lengths.values()) > MEDIAN:
        yield 0, f"the median code cell has {median(lengths.values()):g} lines, over {MEDIAN}"
    for place, length in lengths.items():
        if length > LONGEST:
            yield place, f"{length} lines of code, over {LONGEST}"
        if not length:
            yield place, "an empty cell"


def folding(path: Path, notebook: NotebookNode) -> Problems:
    """Cells that draw by hand are folded; what is folded is so in all places, with a title."""
    for place, cell in code(notebook):
        marks = [FOLDED in tags(cell)]
        marks += [cell.metadata.get(key) == value for key, value in FOLDING.items()]
        if any(marks) and not all(marks):
            yield place, f"folded in one place only; tag it {FOLDED} and run `make format`"
        if any(marks) and not re.match(r"# @title \S", cell.source):
            yield place, "a folded cell begins with `# @title …`, all that Colab shows of it"
        exercise = any(re.match("answer-|check-", tag) for tag in tags(cell))
        if not any(marks) and not exercise and re.search(BY_HAND, cell.source):
            yield place, f"a cell that draws by hand is folded: tag it {FOLDED}"


def order(path: Path, notebook: NotebookNode) -> Problems:
    """Badges, title and question, set-up, something to drag, theory, the closing sections."""
    cells, setup = notebook.cells, tagged(notebook, "setup")
    if chapters.chapter(path) is None:
        yield 0, "the file's name begins with the chapter's number, as in 05_vae.ipynb"
    if not cells or cells[0].cell_type != "markdown" or tagged(notebook, "badges") != [0]:
        yield 0, "the first cell, and no other, is Markdown tagged badges"
    if len(cells) < 2 or not cells[1].source.startswith("# "):
        yield 1, "the second cell is Markdown that begins with the title, `# …`"
    first = next((place for place, _ in code(notebook)), None)
    if len(setup) != 1 or setup[0] != first:
        yield first or 0, "the first code cell, and no other, is tagged setup"
        return
    opening = " ".join(cell.source for cell in cells[1:first]).lower()
    for word in OPENING:
        if word not in opening:
            yield 1, f"the opening, before the set-up cell, says nothing of {word!r}"
    sections = [
        (place, title.strip())
        for place, cell in markdown(notebook)
        for title in re.findall(r"^## (.*)$", prose(cell), re.MULTILINE)
    ]
    after = [place for place, _ in sections if place > first]
    until = after[1] if len(after) > 1 else len(cells)
    if not any(cell.cell_type == "code" for cell in cells[first + 1 : until]):
        yield first, "something to drag or look at comes right after the set-up cell"
    last = [title for _, title in sections][-len(LAST_SECTIONS) :]
    if last != LAST_SECTIONS:
        yield len(cells) - 1, f"the last sections are {LAST_SECTIONS}, not {last}"


def assertions(path: Path, notebook: NotebookNode) -> Problems:
    """Identities are asserted, not only stated."""
    count = sum(
        len(re.findall(r"\bagree\(", cell.source))
        for _, cell in code(notebook)
        if not any(tag.startswith(("check-", "answer-")) for tag in tags(cell))
    )
    if count < AGREEMENTS:
        yield 0, f"agree( is called {count} times outside the exercises, under {AGREEMENTS}"


def exercises(path: Path, notebook: NotebookNode) -> Problems:
    """At least five exercises of three cells each, numbered in order."""
    found = [
        (place, number)
        for place, cell in markdown(notebook)
        for number, _ in re.findall(EXERCISE, cell.source, re.MULTILINE)
    ]
    if len(found) < EXERCISES:
        yield 0, f"{len(found)} exercises, under {EXERCISES}"
    expected = [f"{chapters.chapter(path)}.{count}" for count in range(1, len(found) + 1)]
    if [number for _, number in found] != expected:
        yield 0, f"exercises are numbered {expected}, not {[number for _, number in found]}"
    for place, cell in markdown(notebook):
        for title in re.findall(r"^#+ +Exercise\b.*$", prose(cell), re.MULTILINE):
            if not re.match(EXERCISE, title):
                yield place, f"an exercise's heading is `### Exercise 5.1 · Title`, not {title!r}"
    for place, number in found:
        yield from exercise(notebook, place, number)
    for place, cell in code(notebook):
        for tag in tags(cell):
            kind, _, number = tag.partition("-")
            if kind in ("answer", "check") and number not in dict(map(reversed, found)):
                yield place, f"{tag} belongs to no exercise"


def exercise(notebook: NotebookNode, place: int, number: str) -> Problems:
    """What is wrong with one exercise, whose task is in this cell."""
    task = notebook.cells[place].source
    if len(fences(task)) != 1 or task.count("```") != 2 or task.count("<details>") != 1:
        yield place, f"exercise {number}: one <details> with one ```python fence, the solution"
    elif not re.search("<details>.*```python.*</details>", task, re.DOTALL):
        yield place, f"exercise {number}: the solution stands inside <details>"
    for offset, kind in [(1, "answer"), (2, "check")]:
        if tagged(notebook, f"{kind}-{number}") != [place + offset]:
            yield place, f"exercise {number}: the cell tagged {kind}-{number} is not in its place"
            return
    answer, check = (notebook.cells[place + offset].source for offset in (1, 2))
    if not split_answer(answer)[1]:
        yield place + 1, "the answer cell leaves `...` to the reader"
    for word in ("Solved:", "Not solved yet:"):
        if not re.search(rf"""print\(\s*f?["']{word}""", check):
            yield place + 2, f'the check prints a line that begins "{word}"'


RULES = [form, size, folding, order, assertions, exercises]
