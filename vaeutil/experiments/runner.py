"""Running an experiment, whole or a share of it, and gathering its runs into one result."""

import re
import shutil
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

from vaeutil import machine, profile
from vaeutil.data import DataDamaged, DataUnavailable, Images, load_images
from vaeutil.experiments import parts
from vaeutil.experiments.summary import summarise
from vaeutil.files import atomic

NAMES = (
    "hero",
    "vae",
    "latent",
    "beta",
    "discs",
    "codes",
    "twin",
    "classifier",
    "blur",
    "nested",
    "kinds",
    "bound",
    "guess",
    "gan",
    "fvae",
    "cvae",
    "completion",
    "iwae",
    "priors",
    "energies",
    "couplings",
    "posteriors",
    "infovae",
    "preference",
    "fewdigits",
    "auxiliary",
    "collapse",
    "tricks",
    "scoreboard",
    "published_dynamic",
    "published_static",
)
RESULTS = machine.PACKAGE / "results"
WORK = Path("_build/experiments")


def result(name: str) -> dict:
    """The stored result of an experiment; "NAME-full" is that of the full profile.

    "runs": for each run its "figures", "errors", "machine", "versions", "commit"; "summary": for
    each figure {"mean", "interval" (95 %, Student's t, over seeds; None for one seed), "n"};
    "config"; "data". Raises ValueError for an unknown name, FileNotFoundError where it has not
    been made.
    """
    plain = name.removesuffix("-full")
    _known(plain)
    path = RESULTS / f"{name}.json"
    if not path.exists():
        how = plain + (" --profile full" if name != plain else "")
        raise FileNotFoundError(
            f"There is no result {path}; make it with: python -m vaeutil reproduce {how}"
        )
    return parts.read_json(path)


def describe(name: str) -> str:
    """An experiment in a line, and whether its stored result is that of the present code."""
    _known(name)
    module = _module(name)
    line = f"{name}: {module.__doc__.splitlines()[0]} Runs: {len(module.RUNS)}, on {module.DATA}; "
    try:
        stored = result(name)
    except FileNotFoundError:
        return line + "not run yet."
    now = {"config": module.CONFIG, "code": parts.fingerprint(_files(module))}
    changed = parts.differences(stored, now)
    dates = sorted(run["finished"][:10] for run in stored["runs"])
    line += f"run until {dates[-1]}"
    return line + (f"; since then changed: {'; '.join(changed)}." if changed else ".")


def reproduce(
    name: str,
    shard: str | None = None,
    *,
    again: bool = False,
    results: Path = RESULTS,
    work: Path = WORK,
) -> Path | None:
    """Run an experiment and write results/NAME.json and its weights; return that path.

    Each run leaves its own file in work/NAME as soon as it is done (and a checkpoint before), so
    what was interrupted goes on. shard "2/3" takes the second of three shares of the runs; the
    share that ends last, in the same folder, writes the result, the others return None. again: do
    not use what is there. In the smoke profile everything is tiny and stays in work/smoke. In the
    full profile an experiment that has a FULL size takes it, under the name NAME-full; the others
    have one size.

    Raises ValueError for an unknown name, a shard that is none, a run on file that was made from
    another configuration, data or code; DataUnavailable without the data set that the experiment
    is defined on.
    """
    _known(name)
    index, count = _share(shard)
    if profile() == "smoke":
        work = results = Path(work) / "smoke"
    experiment = _Experiment(name, _module(name), profile(), Path(work), Path(results))
    mine = experiment.runs[index - 1 :: count]
    if not mine:
        raise ValueError(f"{name} has {len(experiment.runs)} runs: shard {shard} would be empty.")
    if not again and experiment.is_there():
        print(f"{experiment.path} is there, made from the same; --again makes it anew.")
        return experiment.path
    for run in mine:
        if again:
            experiment.forget(run)
        experiment.do(run)
    return experiment.gather()


class _Experiment:
    """An experiment with its folders."""

    def __init__(self, name: str, module: ModuleType, size: str, work: Path, results: Path):
        self.config, self.runs, self.kept = module.CONFIG, module.RUNS, module.WEIGHTS
        if size == "smoke":
            self.config = _changed(module.CONFIG, module.SMOKE)
        elif size == "full" and hasattr(module, "FULL"):
            name = f"{name}-full"
            self.config = _changed(module.CONFIG, module.FULL["config"])
            self.runs = module.FULL["runs"]
            self.kept = {f"{name}-{parts.key(run)}.safetensors": run for run in self.runs}
        self.name, self.module, self.folder = name, module, work / name
        self.results, self.path = results, results / f"{name}.json"
        if hasattr(module, "images"):  # an experiment that makes its own
            self.images = module.images(self.config)
        else:
            self.images = load_images() if size == "smoke" else _full(name, module.DATA)
        code = parts.fingerprint(_files(module))
        self.origin = parts.origin(self.config, self.images, code)
        self.commit = machine.commit(_files(module))

    def part(self, run: dict) -> Path:
        return self.folder / f"{parts.key(run)}.json"

    def weights(self, run: dict) -> Path | None:
        """Where the run's weights go, for a run whose weights are kept."""
        kept = run in self.kept.values()
        return self.part(run).with_suffix(".safetensors") if kept else None

    def checkpoint(self, run: dict) -> Path:
        return self.folder / f"{parts.key(run)}.{parts.digest(self.origin)}.checkpoint"

    def is_there(self) -> bool:
        """Whether the result exists and was made from the same; says so when from another."""
        if not self.path.exists():
            return False
        changed = parts.differences(parts.read_json(self.path), self.origin)
        if changed:
            print(f"{self.path} will be replaced: {'; '.join(changed)}.")
        return not changed and all((self.results / file).exists() for file in self.kept)

    def forget(self, run: dict) -> None:
        for path in (self.part(run), self.weights(run), self.checkpoint(run)):
            if path is not None:
                path.unlink(missing_ok=True)

    def missing(self, run: dict) -> str:
        """Why a run cannot be used: "not run yet", or what it was made from; "" if it can."""
        weights = self.weights(run)
        if not self.part(run).exists() or (weights is not None and not weights.exists()):
            return "not run yet"
        wanted = {**self.origin, "run": run}
        return "; ".join(parts.differences(parts.read_json(self.part(run)), wanted))

    def do(self, run: dict) -> None:
        """Make one run, unless it is there."""
        label = f"{self.name}, {', '.join(f'{k} {v}' for k, v in run.items())}"
        reason = self.missing(run)
        if not reason:
            print(f"{label}: already there, in {self.part(run)}")
            return
        if reason != "not run yet":
            raise ValueError(
                f"{self.part(run)} was made from something else: {reason}. Run with --again to "
                "replace it, or move it away to keep it."
            )
        print(f"{label}:", flush=True)
        start = time.perf_counter()
        checkpoint = self.checkpoint(run)
        outcome = self.module.run(self.images, self.config, checkpoint=checkpoint, **run)
        made_from = {**self.origin, "run": run}
        parts.write(self.part(run), made_from, self.commit, outcome, self.weights(run))
        checkpoint.unlink(missing_ok=True)
        shown = ", ".join(f"{figure} {value:.4g}" for figure, value in outcome.figures.items())
        print(f"    {shown} ({time.perf_counter() - start:.0f} s in all)", flush=True)

    def gather(self) -> Path | None:
        """Write the result if every run is there; else say which are not."""
        missing = {parts.key(run): self.missing(run) for run in self.runs}
        missing = {run: reason for run, reason in missing.items() if reason}
        if missing:
            print(f"{self.name}: the result waits for {len(missing)} of {len(self.runs)} runs:")
            print("\n".join(f"    {run}: {reason}" for run, reason in missing.items()))
            return None
        runs = [parts.read_json(self.part(run)) for run in self.runs]
        runs = [{k: v for k, v in run.items() if k not in self.origin} for run in runs]
        for file, run in self.kept.items():
            with atomic(self.results / file) as temporary:
                shutil.copyfile(self.weights(run), temporary)
        about = {
            "name": self.name,
            "about": self.module.__doc__,
            **self.origin,
            "weights": self.kept,
            "summary": summarise(runs),
            "runs": runs,
        }
        parts.write_json(self.path, about)
        print(f"{self.name}: gathered in {self.path}, runs: {len(runs)}")
        return self.path


def _known(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"There is no experiment {name!r}; the names are {', '.join(NAMES)}.")


def _module(name: str) -> ModuleType:
    return import_module(f"vaeutil.experiments.{name}")


def _files(module: ModuleType) -> list[Path]:
    """The Python files that decide the figures."""
    return [machine.PACKAGE / file for file in module.CODE] + [Path(module.__file__)]


def _share(shard: str | None) -> tuple[int, int]:
    """ "2/3" → (2, 3)."""
    if shard is None:
        return 1, 1
    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    index, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= index <= count:
        raise ValueError(f"A shard is written i/n, such as 1/3, 2/3 and 3/3; not {shard!r}.")
    return index, count


def _full(name: str, data: str) -> Images:
    try:
        return load_images(data)
    except DataDamaged:
        raise
    except DataUnavailable as error:
        raise DataUnavailable(
            f"The experiment {name} is defined on {data}, and no other images will do "
            f"(not mnist-5k either). {error}"
        ) from error


def _changed(config: dict, changes: dict) -> dict:
    """config with some values replaced, one level down."""
    return {name: {**values, **changes.get(name, {})} for name, values in config.items()}
