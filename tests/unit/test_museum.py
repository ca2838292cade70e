"""Every exhibit of the bug museum is caught by the test it names, which passes without it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import museum

GROUPS = 4  # of exhibits, which share a copy


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return museum.copy_to(tmp_path_factory.mktemp("museum"))


def test_an_exhibit_that_is_not_caught_is_told(copy):
    harmless = museum.Exhibit(
        "0", "", "vaeutil/mmd.py", "MULTIPLES = (0.1, 1.0, 10.0)", "MULTIPLES = (0.1, 1.0, 10.0)",
        "tests/unit/test_mmd.py::test_the_median",
    )  # fmt: skip
    assert "passes all the same" in museum.survives(harmless, copy)
    gone = museum.Exhibit("0", "", "vaeutil/mmd.py", "no such line", "", "")
    assert "stands 0 times" in museum.survives(gone, copy)


def test_without_mutations_the_named_tests_pass(copy):
    done = museum.run(copy, sorted({exhibit.test for exhibit in museum.EXHIBITS}))
    assert done.returncode == 0, done.stdout[-2000:]


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
def test_the_exhibit_is_caught(exhibit, copy):
    assert museum.survives(exhibit, copy) == ""
