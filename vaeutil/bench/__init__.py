"""What this machine gives: training, time to quality, evaluation; each beside a baseline or target.

Figures of one subject go into one file, results/bench/SUBJECT.json: "machine", "versions" and
"commit", then what the subject's `measure` found, among it "targets", as `targets.judged` makes
them.
"""

import argparse
import os

from vaeutil import machine
from vaeutil.bench import evaluation, quality, rates, report
from vaeutil.data import load_images
from vaeutil.experiments.parts import write_json

SAVED = machine.PACKAGE / "results" / "bench"
SUBJECTS = {
    "training": (rates.measure, report.rate_lines),
    "quality": (quality.measure, report.quality_lines),
    "evaluation": (evaluation.measure, report.evaluation_lines),
}


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The options of `python -m vaeutil bench`."""
    names = ", ".join(SUBJECTS)
    sub.add_argument("subject", nargs="*", metavar="SUBJECT", help=f"{names}; without one, all")
    sub.add_argument("--quick", action="store_true", help="a glimpse of each, to see that it runs")
    sub.add_argument("--save", action="store_true", help=f"write the figures to {SAVED}")


def run(options: argparse.Namespace) -> None:
    """Measure, print as it goes, and write where asked.

    Raises ValueError for a subject that is none, and for a quick run that is to be saved.
    """
    if options.quick and options.save:
        raise ValueError("--quick measures nothing worth keeping: leave --save out.")
    unknown = [name for name in options.subject if name not in SUBJECTS]
    if unknown:
        raise ValueError(f"There is no bench {unknown[0]!r}; choose from {', '.join(SUBJECTS)}.")
    about = header()
    _print(report.machine_lines(about))
    images = load_images()
    for name in options.subject or SUBJECTS:
        measure, lines = SUBJECTS[name]
        figures = {**about, "data": images.name, **measure(images, options.quick)}
        _print([f"\n{name}", *lines(figures), *report.target_lines(figures)])
        if options.save:
            save(name, figures)


def header() -> dict:
    """Machine, versions and commit: to be asked for before this process shows in the load.

    "waiting": what threads do that wait for one another, "active" where they keep their core.
    """
    return {
        "machine": machine.describe(rates.device()),
        "waiting": os.environ.get("OMP_WAIT_POLICY", "").lower(),
        "versions": machine.versions(),
        **machine.commit(sorted(machine.PACKAGE.rglob("*.py"))),
    }


def save(name: str, figures: dict) -> None:
    """Write SAVED/name.json."""
    write_json(SAVED / f"{name}.json", figures)
    print(f"written to {SAVED / f'{name}.json'}")


def _print(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)
