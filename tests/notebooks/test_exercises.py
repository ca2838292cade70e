"""Every chapter runs alone, away from the repository, and its exercises are judged rightly.

Every solution, put into its answer cell, passes its check; unsolved, the check says so.
"""

import re

import chapters
import nbformat
import pytest
import sample
from clean_room import errors, printed
from grammar_cells import EXERCISE


def numbers(notebook):
    """The exercises: the place of the task by number. Answer and check are the next two cells."""
    return {
        match[1]: place
        for place, cell in chapters.markdown(notebook)
        for match in re.finditer(EXERCISE, cell.source, re.MULTILINE)
    }


def both_ways(notebook):
    """The notebook with each exercise run twice: solved, then as the reader gets it.

    In this order, so that a solution gets no help from the cell that it replaces.
    """
    notebook = nbformat.from_dict(notebook)
    for number, place in reversed(numbers(notebook).items()):
        task, answer, check = notebook.cells[place : place + 3]
        given, _ = chapters.split_answer(answer.source)
        solved = f"{given}\n{chapters.fences(task.source)[0]}"
        runs = [("solved", solved), ("shipped", answer.source)]
        notebook.cells[place + 1 : place + 3] = [
            nbformat.v4.new_code_cell(source, metadata={"exercise": (number, kind)})
            for kind, answer_source in runs
            for source in (answer_source, check.source)
        ]
    return notebook


def verdicts(executed):
    """By (number, "solved" or "shipped"): the line with which the check judges, or its error."""
    found = {}
    for place, cell in chapters.code(executed):
        failed = errors(cell)
        if "exercise" not in cell.metadata:
            assert not failed, f"cell {place}: {failed[0]}"
            continue
        line = re.search(r"^(?:Solved|Not solved yet):.*$", printed(cell), re.MULTILINE)
        verdict = line[0] if line else "nothing said"
        # The check comes after the answer and so has the last word, except over an error.
        key = tuple(cell.metadata.exercise)
        if not found.get(key, "").startswith("error"):
            found[key] = f"error {failed[0]}" if failed else verdict
    return found


def wrong(found):
    """The exercises whose check does not say what it should, with what it says."""
    words = {"solved": "Solved:", "shipped": "Not solved yet:"}
    return {key: line for key, line in found.items() if not line.startswith(words[key[1]])}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem))
        for path in chapters.paths()
    ],
)
def test_a_chapter_alone_with_its_exercises(path, away):
    """In an environment without the repository, on the few digits that come with the packages."""
    notebook = both_ways(chapters.read(path))
    notebook.cells.append(nbformat.v4.new_code_cell("print('vaeutil:', vaeutil.__file__)"))
    executed = away.execute(notebook, path.name)
    found = verdicts(executed)
    expected = {(n, kind) for n in numbers(chapters.read(path)) for kind in ("solved", "shipped")}
    assert found.keys() == expected
    assert wrong(found) == {}
    said = "".join(printed(cell) for _, cell in chapters.code(executed))
    for words in (str(away.site / "vaeutil" / "__init__.py"), "widgets enabled", "profile smoke"):
        assert words in said
    assert away.opened() == []
    assert list(away.folder.iterdir()) == []


def test_the_solution_takes_the_place_of_the_dots():
    source = "given = x[..., 0]  # stays\na = ...\n\ndef half(x):\n    return ...\nb = (1, ...)[1]"
    given, left = chapters.split_answer(source)
    assert given == "given = x[..., 0]"
    assert left == "a = ...\ndef half(x):\n    return ...\nb = (1, ...)[1]"


def test_wrong_exercises_are_found(away):
    notebook = sample.notebook()
    for old, new in {
        "half_2 = 2 / 2": "half_2 = 3 / 2",  # a wrong solution
        "half_3 = ...": "half_3 = 3 / 2  # ...",  # nothing left to the reader
        "if half_4 is ...:": "if False:",  # an unsolved exercise is an error
        "half_5 = 5 / 2": "half_5 = half_1 - half_1 + 5 / 2",  # needs what is unsolved
    }.items():
        cell = sample.find(notebook, old)
        cell.source = cell.source.replace(old, new)
    found = verdicts(away.execute(both_ways(notebook), sample.NAME))
    assert len(found) == 10
    assert found["5.1", "solved"] == "Solved: 1 halved."
    assert found["5.1", "shipped"].startswith("Not solved yet: put a number")
    assert {key: line[:5] for key, line in wrong(found).items()} == {
        ("5.2", "solved"): "error",
        ("5.3", "shipped"): "Solve",
        ("5.4", "shipped"): "error",
        ("5.5", "solved"): "error",
    }
