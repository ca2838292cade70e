"""Whether the unit tests notice a changed program: 200 mutants of the parts that compute.

    python tests/mutants.py              all of the sample
    python tests/mutants.py --share 1/2  the first half of it
    python tests/mutants.py NAME …       these mutants alone, once more
    python tests/mutants.py --list       the sample; nothing is run

For each mutant run the tests that touch its function, the quickest first, until one fails; which
they are, and how long they take, is read from what `make coverage` left. Exit 1 where less than
the wanted share is killed. A mutant that no test can kill, for it does the same, is in EQUIVALENT
with the reason, and does not count.
"""

import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

import coverage
from equivalent import EQUIVALENT
from mutation import ROOT, Mutant, sample
from warm import TIMEOUT, Warm

COUNT = 200
WANTED = 0.85
FOLDERS = ("vaeutil/flows", "vaeutil/models")
FILES = ("vaeutil/divergences.py", "vaeutil/evaluation.py")
COVERAGE = ROOT / "_build" / "coverage"
SECONDS = 60.0  # of tests for a mutant, as long as they took when coverage was measured
FIRST = 8
PATIENCE = 300  # seconds of a mutant in all, which it may spend in a loop without end
NOT_RUN = "not found:"  # what pytest says of a test that is not there


@dataclass
class Tests:
    """Which tests touch which line, and the seconds that each takes."""

    data: coverage.CoverageData = field(default_factory=lambda: read_data())
    seconds: dict[str, float] = field(default_factory=lambda: read_seconds())

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that touch the mutant's function, or its file where it is in none."""
        lines = self.data.contexts_by_lineno(str(ROOT / mutant.file))
        touched = [who for at, who in lines.items() if at in mutant.function]
        found = {test_of(name) for names in touched or lines.values() for name in names}
        if not found - {""}:
            found = {test_of(name) for names in lines.values() for name in names}
        quickest = sorted(found & self.seconds.keys(), key=self.seconds.__getitem__)
        chosen, spent = [], 0.0
        for test in quickest:
            spent += self.seconds[test]
            if chosen and spent > SECONDS:
                break
            chosen.append(test)
        return chosen


def read_data() -> coverage.CoverageData:
    """What the last measurement of coverage left."""
    data = coverage.CoverageData(str(COVERAGE / "data"))
    data.read()
    if not data.measured_files():
        raise SystemExit("Which tests touch what is not known: run `make coverage` first.")
    return data


def read_seconds() -> dict[str, float]:
    """Seconds by test, with what is set up for it."""
    found = {}
    for case in ElementTree.parse(COVERAGE / "tests.xml").iter("testcase"):
        file = case.get("classname").replace(".", "/") + ".py"
        found[test_of(f"{file}::{case.get('name')}")] = float(case.get("time"))
    return found


def test_of(context: str) -> str:
    """A test's node id, without the phase of the test and the group of xdist."""
    return context.partition("|")[0].partition("@")[0]


def judge(mutant: Mutant, tests: list[str], warm: Warm) -> str:
    """ "killed", "survived", or what is wrong."""
    # Most fall to the first few tests; then the files of the others need not be read.
    for some in filter(None, (tests[:FIRST], tests[FIRST:])):
        status, said = warm.run(some, mutant.file, mutant.source(), PATIENCE)
        if status == TIMEOUT:
            return "killed: it takes too long"
        if NOT_RUN in said or status == 5:
            raise SystemExit(f"The tests have changed: run `make coverage` again.\n{said[-1000:]}")
        if status != 0:
            return "killed"
    return f"survived {len(tests)} tests"


def chosen() -> list[Mutant]:
    """The mutants that the command line asks for."""
    paths = [ROOT / name for name in FILES]
    for folder in FOLDERS:
        paths += sorted((ROOT / folder).glob("[!_]*.py"))
    drawn = sample(paths, COUNT)
    words = sys.argv[1:]
    if words[:1] == ["--share"]:
        which, of = map(int, words[1].split("/"))
        return drawn[which - 1 :: of]
    names = {word for word in words if not word.startswith("--")}
    return [mutant for mutant in drawn if not names or mutant.name in names]


def main() -> None:
    """Run the sample and say how it went."""
    mutants = chosen()
    if "--list" in sys.argv:
        print(*mutants, sep="\n")
        return
    tests, start, verdicts = Tests(), time.monotonic(), {}
    with Warm() as warm:
        for mutant in mutants:
            if mutant.name in EQUIVALENT:
                verdicts[mutant.name] = f"equivalent: {EQUIVALENT[mutant.name]}"
            else:
                verdicts[mutant.name] = judge(mutant, tests.of(mutant), warm)
            print(f"{verdicts[mutant.name]:10s} {mutant}", flush=True)
    said = [verdict.split()[0].rstrip(":") for verdict in verdicts.values()]
    killed, survived = said.count("killed"), said.count("survived")
    print(
        f"{killed} killed, {survived} survived, {said.count('equivalent')} equivalent, "
        f"{time.monotonic() - start:.0f} s"
    )
    raise SystemExit(killed < WANTED * (killed + survived))


if __name__ == "__main__":
    main()
