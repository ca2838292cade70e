"""The state of a training run in one safetensors file, so that it resumes to the same weights."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vaeutil.files import atomic
from vaeutil.history import History
from vaeutil.models import Model, describe


def write(path, model: Model, optimiser: torch.optim.Adam, settings: dict, history: History, step):
    """Write weights, optimiser, random state and history, atomically."""
    tensors = {f"model.{name}": t for name, t in model.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": t for name, t in state.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if model.device.type == "cuda":  # CUDA only
        tensors["random.cuda"] = torch.cuda.get_rng_state(model.device)
    about = describe(model) | {
        "settings": json.dumps(settings, sort_keys=True),
        "history": json.dumps(history.to_dict()),
        "step": str(step),
    }
    with atomic(path) as temporary:
        save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, temporary, metadata=about)


def read(path, model: Model, optimiser: torch.optim.Adam, settings: dict) -> tuple[History, int]:
    """Put the stored state into the model, the optimiser and torch's random numbers.

    Returns the history and the number of steps done. Raises ValueError, before anything is
    changed, when the file is damaged, or belongs to another model or to other settings.
    """
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it to start afresh.") from error
    _must_match(path, about, describe(model) | {"settings": json.dumps(settings, sort_keys=True)})

    model.load_state_dict(_under("model.", tensors))
    state = optimiser.state_dict()
    for key, tensor in _under("optimiser.", tensors).items():
        index, name = key.split(".")
        state["state"].setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict(state)
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors:  # CUDA only
        torch.cuda.set_rng_state(tensors["random.cuda"], model.device)
    return History.from_dict(json.loads(about["history"])), int(about["step"])


def _under(prefix: str, tensors: dict) -> dict:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _must_match(path: Path, stored: dict, wanted: dict) -> None:
    if "step" not in stored:
        raise ValueError(f"{path} is not a checkpoint of a training run.")
    for name, value in wanted.items():
        if stored.get(name) != value:
            raise ValueError(
                f"{path} is the checkpoint of another run: its {name} is {stored.get(name)}, this "
                f"run's is {value}. Use the same {name}, or another checkpoint file."
            )
