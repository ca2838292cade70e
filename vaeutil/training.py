"""The training loop: one function, the same on a CPU and on a GPU."""

import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from vaeutil import checkpoint as checkpoints
from vaeutil import evaluation
from vaeutil._progress import Progress
from vaeutil.data import Images, observe
from vaeutil.history import History
from vaeutil.models import Model
from vaeutil.seeding import seeded

STRETCH = 50  # steps between two looks at the recorded terms
VALID_IMAGES = 2_000  # enough for an error below a nat, at a tenth of an epoch's cost


def fit(
    model: Model,
    images: Images,
    *,
    steps: int,
    seed: int = 0,
    batch: int = 128,
    lr: float = 2e-3,
    warmup: int = 200,
    clip: float = 150.0,
    bf16: bool = False,
    device: torch.device | str | None = None,
    valid_every: int | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    watch: Callable[[History], None] | None = None,
) -> History:
    """Train `model` on images.train by Adam for `steps` steps, and return the history.

    The pixels live on the device as bytes and are observed anew (binarised, dequantised) in each
    step. The learning rate rises linearly over `warmup` steps to `lr`, then falls to zero along a
    cosine; the gradient's norm is clipped at `clip`. bf16 runs the networks in bfloat16. device:
    CUDA where there is one, else the CPU. Every `valid_every` steps (default: a tenth of the run)
    the ELBO of the first 2,000 validation images is measured, the state written to `checkpoint`,
    and `watch(history)` called (`figures.LiveCurves` draws it). A run that finds its checkpoint
    goes on from it, to the very same weights.

    The same seed on the same device gives the same result; the initial weights are the caller's,
    but that a model which is `fresh` first has its output bias set by `start_at_mean`.
    Interrupting (Ctrl-C, the stop button) returns the model as it is, with its history.

    Raises ValueError for settings that cannot work or a checkpoint of another run, and
    FloatingPointError when a term is no longer finite, naming the step and the term.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    _check(images, steps, batch, lr, warmup, clip, bf16, device)
    model.to(device).train()
    run = _Run(model, images, steps, seed, batch, lr, warmup, clip, bf16, device)
    valid_every = valid_every or max(1, math.ceil(steps / 10))
    bar = Progress(progress)
    with seeded(seed, device):
        if checkpoint is not None and Path(checkpoint).exists():
            run.history, run.step = checkpoints.read(checkpoint, model, run.optimiser, run.settings)
        elif model.fresh:
            model.start_at_mean(run.pixels)
        model.fresh = False
        before, start = run.history.seconds, time.perf_counter()
        try:
            while run.step < steps:
                mark = min(steps, (run.step // valid_every + 1) * valid_every)
                run.train(min(mark, run.step + STRETCH))
                run.history.seconds = before + time.perf_counter() - start
                if run.step == mark:
                    run.read_terms(wait=True)
                    run.validate()
                    if checkpoint is not None:
                        checkpoints.write(
                            checkpoint, model, run.optimiser, run.settings, run.history, run.step
                        )
                    if watch is not None:
                        watch(run.history)
                bar.update(run.history.line(steps))
        except KeyboardInterrupt:
            run.history.interrupted = True
            run.read_terms(wait=True)
        run.history.seconds = before + time.perf_counter() - start
    bar.update(run.history.line(steps))
    bar.close()
    model.eval()
    return run.history


class _Run:
    """The state of one call of `fit`."""

    def __init__(self, model, images, steps, seed, batch, lr, warmup, clip, bf16, device):
        self.model, self.images, self.device = model, images, device
        self.steps, self.seed, self.batch = steps, seed, batch
        self.lr, self.warmup, self.clip, self.bf16 = lr, warmup, clip, bf16
        self.pixels = images.train.pixels.flatten(1).to(device)
        self.labels = images.train.labels.to(device)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(self.parameters, lr=lr, fused=device.type != "mps")
        self.history = History(unit=model.unit)
        self.step = 0
        self.pending: list[tuple[int, Tensor, torch.cuda.Event | None]] = []
        self.names: list[str] = []

    @property
    def settings(self) -> dict:
        """What a checkpoint must have been made with to be continued."""
        return {
            "steps": self.steps,
            "seed": self.seed,
            "batch": self.batch,
            "lr": self.lr,
            "warmup": self.warmup,
            "clip": self.clip,
            "bf16": self.bf16,
            "images": self.images.checksum,
        }

    def train(self, until: int) -> None:
        """Take steps up to number `until`. Nothing in here waits for the device."""
        record = []
        while self.step < until:
            order = self._order(self.step // self.batches)
            last = min(until, (self.step // self.batches + 1) * self.batches)
            for step in range(self.step, last):
                at = step % self.batches * self.batch
                record.append(self._one(step, order[at : at + self.batch]))
                self.step += 1
        self._keep(torch.stack(record))
        self.read_terms(wait=False)

    @property
    def batches(self) -> int:
        """Whole batches in the training set; what is left over waits for the next shuffle."""
        return len(self.pixels) // self.batch

    def _order(self, epoch: int) -> Tensor:
        # From seed and epoch alone, so that a resumed run shuffles alike.
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.pixels), generator=generator, device=self.device)

    def _one(self, step: int, index: Tensor) -> Tensor:
        x = observe(self.pixels.index_select(0, index), self.model.observation)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.steps, self.lr, self.warmup)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            terms = self.model.loss(x, self.labels[index])
        self.optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimiser.step()
        self.names = [*terms, "gradient norm"]
        return torch.stack([t.detach().float() for t in (*terms.values(), norm)])

    def _keep(self, record: Tensor) -> None:
        """Start the record's way to the host; on a GPU it arrives while training goes on."""
        if self.device.type != "cuda":
            self.pending.append((self.step, record, None))
            return
        host = torch.empty(record.shape, pin_memory=True).copy_(  # CUDA only
            record, non_blocking=True
        )
        arrived = torch.cuda.Event()  # CUDA only
        arrived.record()  # CUDA only
        self.pending.append((self.step, host, arrived))  # CUDA only

    def read_terms(self, wait: bool) -> None:
        """Move records that have arrived into the history; raise when one is not finite."""
        while self.pending:
            end, record, arrived = self.pending[0]
            if arrived is not None and not arrived.query():  # CUDA only
                if not wait:
                    return
                arrived.synchronize()
            self.pending.pop(0)
            if not record.isfinite().all():
                self._not_finite(end - len(record), record)
            self.history.add(end, dict(zip(self.names, record.mean(0).tolist(), strict=True)))

    def _not_finite(self, start: int, record: Tensor) -> None:
        row = int((~record.isfinite().all(1)).nonzero()[0])
        values = dict(zip(self.names, record[row].tolist(), strict=True))
        # A part that is not finite makes the loss so as well: name the part.
        name = next(n for n in reversed(self.names) if not math.isfinite(values[n]))
        parts = [n for n in self.names[1:-1] if not math.isfinite(values[n])]
        name = parts[0] if parts else name
        raise FloatingPointError(
            f"Step {start + row + 1:,}: {name} is {values[name]}. Try a smaller learning rate (now "
            f"{self.lr:g}), a longer warm-up (now {self.warmup} steps), a lower clip (now "
            f"{self.clip:g})" + (", or float32 instead of bf16." if self.bf16 else ".")
        )

    def validate(self) -> None:
        """Append the validation ELBO to the history, for a model that has one."""
        if not hasattr(self.model, "log_weights") or len(self.images.valid) < 2:
            return
        self.model.eval()
        elbo = evaluation.elbo(self.model, self.images.valid[:VALID_IMAGES])
        self.model.train()
        self.history.valid.append((self.step, elbo.mean, elbo.stderr))


def learning_rate(step: int, steps: int, lr: float, warmup: int) -> float:
    """The rate of step `step` (from 0) of `steps`: a linear rise to `lr`, then half a cosine."""
    warmup = min(warmup, steps // 2)
    if step < warmup:
        return lr * (step + 1) / warmup
    return lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def _check(images, steps, batch, lr, warmup, clip, bf16, device) -> None:
    for name, value in {"steps": steps, "batch": batch}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive whole number, not {value!r}.")
    if batch > len(images.train):
        raise ValueError(
            f"A batch of {batch} is more than the {len(images.train)} training images; "
            "choose a smaller batch."
        )
    if not (lr > 0 and clip > 0 and warmup >= 0):
        raise ValueError(f"lr={lr}, clip={clip} and warmup={warmup}: all must be positive.")
    if bf16 and device.type == "cpu" and not _cpu_has_bf16():
        warnings.warn(
            "This CPU has no bfloat16 instructions: bf16 runs, but far slower than float32.",
            stacklevel=3,
        )


def _cpu_has_bf16() -> bool:
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))
