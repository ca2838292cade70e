"""Every exhibit of the bug museum is caught by the test it names, which passes without it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import museum
from warm import TIMEOUT, Warm

GROUPS = 4  # of exhibits, which share a server


@pytest.fixture(scope="module")
def warm():
    with Warm() as server:
        yield server


def test_a_run_that_hangs_is_stopped(warm):
    status, _ = warm.run(["tests/unit/test_mmd.py"], "vaeutil/mmd.py", "while True: pass", 5)
    assert status == TIMEOUT


def test_a_changed_source_is_not_left_behind(warm):
    test = "tests/unit/test_mmd.py::test_the_median"
    status, said = warm.run([test], "vaeutil/mmd.py", "raise RuntimeError('changed')")
    assert status not in (0, 1)
    assert "changed" in said
    assert warm.run([test])[0] == 0


def test_an_exhibit_that_is_not_caught_is_told(warm):
    harmless = museum.Exhibit(
        "0", "", "vaeutil/mmd.py", "MULTIPLES = (0.1, 1.0, 10.0)", "MULTIPLES = (0.1, 1.0, 10.0)",
        "tests/unit/test_mmd.py::test_the_median",
    )  # fmt: skip
    assert "passes all the same" in museum.survives(harmless, warm)
    gone = museum.Exhibit("0", "", "vaeutil/mmd.py", "no such line", "", "")
    assert "stands 0 times" in museum.survives(gone, warm)


def test_without_mutations_the_named_tests_pass(warm):
    status, said = warm.run(sorted({exhibit.test for exhibit in museum.EXHIBITS}))
    assert status == 0, said[-2000:]


@pytest.mark.parametrize(
    "exhibit",
    [
        pytest.param(
            exhibit,
            id=f"{exhibit.number} {exhibit.name}",
            marks=pytest.mark.xdist_group(f"museum-{place % GROUPS}"),
        )
        for place, exhibit in enumerate(museum.EXHIBITS)
    ],
)
def test_the_exhibit_is_caught(exhibit, warm):
    assert museum.survives(exhibit, warm) == ""
