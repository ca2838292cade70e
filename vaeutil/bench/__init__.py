"""How fast `fit` trains on this machine, beside the loops of tutorials and the matmul peak."""

import argparse
from pathlib import Path

from vaeutil import machine
from vaeutil.bench import quality, rates, report
from vaeutil.data import load_images
from vaeutil.experiments.parts import write_json

SAVED = machine.PACKAGE / "results" / "bench" / "training.json"
QUICK = {"steps": 2, "rounds": 2}
USUAL = {"steps": 300, "rounds": 7}


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The options of `python -m vaeutil bench`."""
    sub.add_argument("--quick", action="store_true", help="two steps each, to see that it runs")
    sub.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    sub.add_argument("--save", action="store_true", help=f"write the figures to {SAVED}")


def run(options: argparse.Namespace) -> None:
    """Time, print as it goes, and write where asked."""
    if options.quick and options.save:
        raise ValueError("--quick measures nothing worth keeping: leave --save out.")
    figures = {  # before anything that this process does shows in the load
        "machine": machine.describe(rates.device()),
        "versions": machine.versions(),
        **machine.commit(sorted(machine.PACKAGE.rglob("*.py"))),
    }
    _print(report.machine_lines(figures))
    images = load_images()
    figures |= {
        "images": images.name,
        **rates.measure(images, **(QUICK if options.quick else USUAL)),
    }
    _print(report.rate_lines(figures))
    if options.quick:
        figures["no_quality"] = "not measured by --quick"
    elif images.name != "mnist":
        figures["no_quality"] = f"not measured on {images.name}; it is defined on mnist"
    else:
        figures["quality"] = quality.measure(images)
    _print(report.quality_lines(figures))
    for path in filter(None, (options.json, SAVED if options.save else None)):
        write_json(path, figures)
        print(f"written to {path}")


def _print(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)
