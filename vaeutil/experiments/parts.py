"""The parts of an experiment: one JSON file for each finished run, with what it was made from."""

import ast
import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from vaeutil import machine
from vaeutil.data import Images
from vaeutil.files import atomic
from vaeutil.models import Model, save


@dataclass(frozen=True)
class Outcome:
    """What one run gives: the trained model, its figures, and the standard errors of some.

    seconds: wall time of the evaluation (that of the training is a figure, by the history).
    """

    model: Model
    figures: dict[str, float]
    errors: dict[str, float]
    seconds: float


def key(run: dict) -> str:
    """The name of a run's files: {"seed": 3} → "seed-3"."""
    return "_".join(f"{name}-{value}" for name, value in run.items())


def origin(config: dict, images: Images, code: str) -> dict:
    """Everything besides the run's own arguments that decides its figures."""
    return {
        "config": config,
        "data": {"name": images.name, "checksum": images.checksum},
        "code": code,
    }


def fingerprint(files: list[Path]) -> str:
    """A hash of what these Python files do: comments, layout and docstrings do not count."""
    digest = hashlib.sha256()
    for path in files:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_text(body[0]):
                node.body = body[1:] or [ast.Pass()]
        digest.update(path.name.encode() + ast.unparse(tree).encode())
    return digest.hexdigest()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def digest(origin: dict) -> str:
    """A short name for an origin."""
    return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:12]


def write(path: Path, made_from: dict, commit: dict, outcome: Outcome, weights: Path | None):
    """Write a run's weights (float16), then its JSON file: where that is, the run is whole.

    commit is that of the code when the run began: it may be another by now.
    """
    part = {
        **made_from,
        "figures": outcome.figures,
        "errors": outcome.errors,
        "evaluation_seconds": outcome.seconds,
        "machine": machine.describe(outcome.model.device),
        "versions": machine.versions(),
        **commit,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    if weights is not None:
        data = made_from["data"]
        about = {
            "data": data["name"],
            "data_checksum": data["checksum"],
            "run": key(made_from["run"]),
        }
        save(outcome.model, weights, half=True, **about)
        part["weights_sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    write_json(path, part)


def write_json(path: Path, value: dict) -> None:
    """Write a JSON file atomically; NaN is refused, for JSON has none."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict:
    """Read one. Raises ValueError, naming the file, when it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run again.") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is not the file of a result; delete it and run again.")
    return value


def differences(stored: dict, wanted: dict, prefix: str = "") -> list[str]:
    """Where a stored file's origin is another than the wanted one, in words; empty if nowhere."""
    found = []
    for name, value in wanted.items():
        other = stored.get(name)
        where = f"{prefix}{name}"
        if isinstance(value, dict) and isinstance(other, dict):
            found += differences(other, value, f"{where}.")
            extra = sorted(other.keys() - value.keys())
            found += [f"{where}.{e} is {other[e]!r} there, absent now" for e in extra]
        elif other != value:
            found.append(f"{where} is {_short(other)} there, {_short(value)} now")
    return found


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 24 else f"{text[:12]}…'"
