"""Rules for the book as a whole: tags are unique, and every reference resolves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from chapters import chapter, markdown, prose
from grammar_cells import EXERCISE
from nbformat import NotebookNode

Book = dict[Path, NotebookNode]
Problems = Iterator[tuple[Path, int, str]]

# Where a number is given, and how it is referred to.
TARGETS = {
    "Eq.": r"\\tag\s*\{([^}]*)\}",
    "Figure": r"(?:^|\n[ \t]*\n)\*\*Figure (\d+\.\d+)\.\*\*",
    "Exercise": rf"(?m){EXERCISE}",
}
REFERENCES = {
    "Eq.": r"\bEq\.\s\((\d+\.\d+)\)",
    "Figure": r"\bFigure\s(\d+\.\d+)",
    "Exercise": r"\bExercise\s(\d+\.\d+)",
}
# Spellings that the site would not make a link of.
OTHERWISE = (
    r"\b(?:[Ee]quations?|[Ee]qs?\.?)\s*\(?\d+\.\d+\)?"
    r"|\b(?:[Ff]igs?\.|figures?|Figures)\s*\d+\.\d+"
    r"|\b(?:exercises?|Exercises)\s+\d+\.\d+"
)
LINK = r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]*)[^)]*\)"


def targets(book: Book) -> dict[str, Counter]:
    """How often each number of an equation, a figure, an exercise is given."""
    found = {kind: Counter() for kind in TARGETS}
    for notebook in book.values():
        for _, cell in markdown(notebook):
            for kind, pattern in TARGETS.items():
                for match in re.finditer(pattern, prose(cell)):
                    found[kind][match[1]] += 1
    return found


def unique(book: Book) -> Problems:
    """Numbers are given once, and begin with the chapter's."""
    count = targets(book)
    for path, notebook in book.items():
        for place, cell in markdown(notebook):
            for kind, pattern in TARGETS.items():
                for match in re.finditer(pattern, prose(cell)):
                    number = match[1]
                    if count[kind][number] > 1:
                        yield path, place, f"{kind} {number} is given {count[kind][number]} times"
                    if not re.fullmatch(rf"{chapter(path)}\.\d+", number):
                        yield path, place, f"{kind} {number} is not of this chapter"


def references(book: Book) -> Problems:
    """Every equation, figure and exercise that is named exists, in the one spelling."""
    given = targets(book)
    for path, notebook in book.items():
        for place, cell in enumerate(notebook.cells):
            text = prose(cell) if cell.cell_type == "markdown" else cell.source
            for mention in missing(text, given):
                yield path, place, f"{mention!r} does not exist"
            for match in re.finditer(OTHERWISE, text):
                if not re.match(REFERENCES["Eq."], match[0]):
                    yield path, place, f"{match[0]!r}: write Eq. (5.3), Figure 5.2, Exercise 5.1"


def missing(text: str, given: dict[str, Counter]) -> list[str]:
    """The references of a text that lead nowhere."""
    return [
        match[0]
        for kind, pattern in REFERENCES.items()
        for match in re.finditer(pattern, text)
        if not given[kind][match[1]]
    ]


def links(book: Book) -> Problems:
    """Links lead to the web, or to a file that exists, and to no heading in it."""
    for path, notebook in book.items():
        for place, cell in markdown(notebook):
            for text, target in re.findall(LINK, prose(cell)):
                if re.match(r"https?://|mailto:", target):
                    continue
                file, _, fragment = target.partition("#")
                if fragment or not file:
                    yield path, place, f"{target!r}: a link to a heading breaks in some renderers"
                elif not (path.parent / file).is_file():
                    yield path, place, f"{target!r} does not exist"
                number = re.search(r"[Cc]hapter (\d+)", text)
                if number and int(number[1]) != chapter(Path(file)):
                    yield path, place, f"[{text}] is not {target!r}"


def pages(book: Book, files: Iterable[Path]) -> list[str]:
    """The references of the prose pages that lead nowhere: `file:line: message`."""
    given = targets(book)
    return [
        f"{file.name}:{number}: {mention!r} does not exist"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for mention in missing(line, given)
    ]


RULES = [unique, references, links]
