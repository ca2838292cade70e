"""What a training run leaves behind besides the weights."""

from dataclasses import asdict, dataclass, field


@dataclass
class History:
    """The course of a training run.

    - `steps`: the step at the end of each stretch of steps;
    - `terms`: for "loss", each of its parts and "gradient norm", the mean over that stretch;
    - `valid`: (step, ELBO, standard error) on the validation images, for models with an ELBO;
    - `seconds`: wall time spent, that of resumed runs included;
    - `unit`: the unit of the terms (not of the gradient norm);
    - `interrupted`: whether the run was stopped by hand.
    """

    unit: str = "nats"
    steps: list[int] = field(default_factory=list)
    terms: dict[str, list[float]] = field(default_factory=dict)
    valid: list[tuple[int, float, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def add(self, step: int, means: dict[str, float]) -> None:
        """Append the means over the steps since the last call."""
        self.steps.append(step)
        for name, value in means.items():
            self.terms.setdefault(name, []).append(value)

    def to_dict(self) -> dict:
        """As plain lists and numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "History":
        """The inverse of `to_dict`."""
        return cls(**{**values, "valid": [tuple(row) for row in values["valid"]]})

    def line(self, steps: int) -> str:
        """The newest state in one line; `steps` is the length of the whole run."""
        if not self.steps:
            return f"step 0 of {steps:,}"
        now = {name: values[-1] for name, values in self.terms.items()}
        parts = [f"{now[name]:.1f} {name}" for name in now if name not in ("loss", "gradient norm")]
        text = f"step {self.steps[-1]:,} of {steps:,} · {self.seconds:.0f} s · "
        text += f"loss {now['loss']:.1f}" + (f" = {' + '.join(parts)}" if parts else "")
        text += f" {self.unit}"
        if self.valid:
            _, elbo, stderr = self.valid[-1]
            text += f" · validation ELBO {elbo:.1f} ± {stderr:.1f} nats"
        return text + (" · interrupted" if self.interrupted else "")
