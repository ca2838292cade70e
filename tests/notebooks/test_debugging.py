"""The museum of chapter 19 shows the exhibits of tests/museum.py, each with its test, no other."""

import re
import sys
from pathlib import Path

import chapters

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from museum import EXHIBITS

NOTEBOOK = next(path for path in chapters.paths() if path.name == "19_debugging.ipynb")


def labels() -> list[tuple[str, str]]:
    """(the numbers of its label, the whole entry) of each entry of the museum's lists."""
    found = []
    for _, cell in chapters.markdown(chapters.read(NOTEBOOK)):
        for line in cell.source.splitlines():
            if line.startswith("- **") and "*Test" in line:
                found += [(label, line) for label in re.findall(r"\*\*([^*]+?) ·", line)]
    return found


def test_each_exhibit_hangs_in_the_chapter_with_its_test():
    entries = labels()
    for exhibit in EXHIBITS:
        lines = [line for label, line in entries if exhibit.number in label.split(", ")]
        assert len(lines) == 1, exhibit.number
        file, test = exhibit.test.split("::")
        assert f"`{test}` in `{Path(file).name}`" in lines[0], exhibit.number


def test_the_chapter_shows_no_other_exhibit_and_no_other_test():
    numbers = {number for label, _ in labels() for number in label.split(", ")}
    assert numbers == {exhibit.number for exhibit in EXHIBITS}
    tests = {test for _, line in labels() for test in re.findall(r"`(test_\w+)`", line)}
    assert tests == {exhibit.test.split("::")[1] for exhibit in EXHIBITS}
