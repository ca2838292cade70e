"""AuxiliaryExplorer: a posterior with two hills, a q with an auxiliary u, and what u costs."""

import numpy as np
import traitlets as t
from matplotlib.figure import Figure
from scipy.special import expit, logsumexp

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch

RANGES = {"offset": (0.0, 3.0), "sd": (0.2, 3.0), "slope": (0.0, 20.0)}
HILLS = (2.0, 0.5)  # where the hills of the posterior stand, ±, and how wide they are


class AuxiliaryExplorer(Explorable):
    """One latent z with posterior ½ N(−2, ½²) + ½ N(2, ½²), and q(u, z) with a fair coin u.

    q(z | u) is N(±offset, sd²), the sign being the coin's; the model guesses the coin by
    p(u = 1 | z) = 1 / (1 + e^(−slope · z)). The reader moves the three numbers; bars show the gap
    KL(q(z) ‖ p(z | x)), the penalty E KL(q(u | z) ‖ p(u | z)), and their sum, in nats, each by
    quadrature.

    Traits, synced both ways in a live notebook: `offset`, `sd`, `slope`. Raises
    traitlets.TraitError for one outside its slider.
    """

    offset = t.Float(0.0).tag(sync=True)
    sd = t.Float(2.06).tag(sync=True)
    slope = t.Float(0.0).tag(sync=True)

    def __init__(self, *, title="A coin in the posterior", **start):
        super().__init__(
            tag="auxiliary-explorer",
            moves=list(RANGES),
            options={"title": title, "ranges": RANGES, "hills": HILLS},
            **start,
        )

    @t.validate("offset", "sd", "slope")
    def _check_range(self, proposal) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name]
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    def terms(self) -> dict[str, float]:
        """The "gap", the "penalty" and their sum, "total", in nats, by the midpoint rule."""
        z = np.linspace(-20, 20, 8001)
        log_q = _log_mixture(z, self.offset, self.sd)
        log_p = _log_mixture(z, *HILLS)
        coin = expit(2 * self.offset * z / self.sd**2)  # q(u = 1 | z), by Bayes' rule
        guess = self.slope * z
        to_guess = _coin_kl(coin, guess)
        weight = np.exp(log_q) * (z[1] - z[0])
        gap, penalty = float(weight @ (log_q - log_p)), float(weight @ to_guess)
        return {"gap": gap, "penalty": penalty, "total": gap + penalty}

    def picture(self) -> tuple[np.ndarray, str]:
        """The posterior and q(z)."""
        z = np.linspace(-5, 5, 501)
        figure = Figure((6, 2.8), layout="constrained")
        axes = figure.subplots()
        for name, shape, colour in (
            ("posterior", HILLS, PALETTE[0]),
            ("q(z)", (self.offset, self.sd), PALETTE[1]),
        ):
            axes.plot(z, np.exp(_log_mixture(z, *shape)), color=colour, label=name)
        axes.set(xlabel="z", ylabel="density")
        axes.legend()
        found = self.terms()
        return sketch(figure), (
            f"{self.options['title']}: a posterior with two hills and a q(z). The gap is "
            f"{found['gap']:.2f} nats, the penalty for u {found['penalty']:.2f} nats."
        )


def _log_mixture(z: np.ndarray, offset: float, sd: float) -> np.ndarray:
    """log of ½ N(z; −offset, sd²) + ½ N(z; offset, sd²)."""
    logs = [-0.5 * ((z - side * offset) / sd) ** 2 for side in (-1, 1)]
    return logsumexp(logs, axis=0) - np.log(2 * sd) - 0.5 * np.log(2 * np.pi)


def _coin_kl(coin: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """KL of a coin with probability `coin` to one with this logit, stable at both ends."""
    entropy = sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300)), 0) for p in (coin, 1 - coin))
    return entropy + coin * np.logaddexp(0, -logit) + (1 - coin) * np.logaddexp(0, logit)
