"""Time to quality: seconds of training to a quality fixed before, by recipes fixed in steps.

"bound": a test −ELBO of 100 nats. "nll": a test NLL of 86.76 nats, the figure of Burda et al. 2016
(arXiv:1509.00519, table 1) for a VAE with one stochastic layer. COMPARABLE says what of the second
is as in the paper and what is not; it goes into the file of the figures.
"""

from vaeutil.bench.rates import NO_BF16, device, has_bf16
from vaeutil.bench.targets import judged
from vaeutil.data import Images
from vaeutil.evaluation import elbo, nll
from vaeutil.models import IWAE, VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

BOUND = {
    "target": 100.0,
    "seconds": 15.0,
    "model": {"latent": 20, "hidden": [400, 400]},
    "recipe": {"steps": 2_000, "batch": 128, "lr": 3e-3, "seed": 0},
}
NLL = {
    "target": 86.76,
    "seconds": 240.0,
    "model": {"latent": 50, "hidden": [500, 500]},
    "recipe": {"steps": 9_000, "batch": 256, "lr": 2e-3, "seed": 0, "valid_every": 9_000},
    "bound": {"k": 5, "gradient": "dreg"},
    "finish": {
        "steps": 900,
        "batch": 256,
        "lr": 1e-3,
        "warmup": 50,
        "seed": 1,
        "valid_every": 900,
    },
    "k": 500,
    "few": 1_000,
    "many_k": 5_000,
}
COMPARABLE = (
    "As in Burda et al. 2016: MNIST binarised anew each time it is seen; 50 latents in one "
    "stochastic layer under N(0, I), a diagonal Gaussian posterior, Bernoulli pixels; the test NLL "
    "by importance sampling. Not as in the paper: two hidden layers of 500 GELU units, where "
    "theirs have 200 tanh units, so 3.2 times the weights; Adam along one cosine, where they "
    "let the rate fall in eight stages of 3,280 epochs in all; a last share of the time on the "
    "importance-weighted bound, which is not the loss of a VAE though the model is one; 500 "
    "samples an image, where they take 5,000, which makes this figure the higher one in "
    "expectation; 50,000 training images, 10,000 being kept for validation."
)


def measure(images: Images, quick: bool = False) -> dict:
    """Both times to quality with their targets; or "not_measured", which says why."""
    if quick or images.name != "mnist":
        why = "by --quick" if quick else f"on {images.name}; it is defined on mnist"
        return {"not_measured": f"not measured {why}", "targets": []}
    bound, likelihood = time_to_bound(images), time_to_nll(images)
    return {
        "bound": bound,
        "nll": likelihood,
        "comparable": COMPARABLE,
        "bf16": "used for the NLL" if likelihood["bf16"] else NO_BF16,
        "targets": [
            judged("test −ELBO", "nats", bound["target"], bound["negative_elbo"]),
            _seconds("a −ELBO", bound, BOUND["seconds"]),
            judged("test NLL", "nats", likelihood["target"], likelihood["nll"]),
            _seconds("an NLL", likelihood, NLL["seconds"]),
        ],
    }


def time_to_bound(images: Images) -> dict:
    """{"seconds", "negative_elbo", "stderr", "reached", …} of a VAE by the recipe BOUND.

    The seconds are those of `fit`, its ten looks at the validation images included.
    """
    with seeded(BOUND["recipe"]["seed"]):
        model = VAE(**BOUND["model"])
    history = fit(model, images, **BOUND["recipe"], device=device(), progress=False)
    bound = -elbo(model, images.test)
    return {
        "model": BOUND["model"],
        "recipe": BOUND["recipe"],
        "target": BOUND["target"],
        "seconds": history.seconds,
        "negative_elbo": bound.mean,
        "stderr": bound.stderr,
        "test_images": len(images.test),
        "reached": bound.mean <= BOUND["target"],
    }


def time_to_nll(images: Images) -> dict:
    """{"seconds", "nll", "stderr", "reached", …} of a VAE by the recipe NLL.

    Trained as a VAE, then the same weights by the importance-weighted bound. seconds: of both
    calls of `fit`, looks at the validation images included. In bf16 where the device has it.
    The NLL, by k samples of every test image, decides whether the target is reached; nll_many is
    that of the first images by many_k samples, nll_few that of the same images by k.
    """
    bf16 = has_bf16(device())
    how = {"bf16": bf16, "device": device(), "progress": False}
    with seeded(NLL["recipe"]["seed"]):
        model = VAE(**NLL["model"])
    first = fit(model, images, **NLL["recipe"], **how)
    finished = IWAE(**NLL["model"], **NLL["bound"])
    finished.load_state_dict(model.state_dict())
    second = fit(finished, images, **NLL["finish"], **how)
    few = images.test[: NLL["few"]]
    whole = nll(finished, images.test, k=NLL["k"])
    many = nll(finished, few, k=NLL["many_k"])
    before, bound = -elbo(model, images.test), -elbo(finished, images.test)
    train = len(images.train)
    return {
        **{name: NLL[name] for name in ("model", "recipe", "bound", "finish", "k", "many_k")},
        "bf16": bf16,
        "epochs": NLL["recipe"]["steps"] * NLL["recipe"]["batch"] / train,
        "finish_epochs": NLL["finish"]["steps"] * NLL["finish"]["batch"] / train,
        "target": NLL["target"],
        "seconds": first.seconds + second.seconds,
        "finish_seconds": second.seconds,
        "nll": whole.mean,
        "stderr": whole.stderr,
        "test_images": len(images.test),
        "nll_few": whole.values[: len(few)].mean().item(),
        "nll_many": many.mean,
        "stderr_many": many.stderr,
        "few_images": len(few),
        "negative_elbo": bound.mean,
        "negative_elbo_before_finish": before.mean,
        "reached": whole.mean <= NLL["target"],
    }


def _seconds(what: str, found: dict, target: float) -> dict:
    """The row of a time, which counts where the quality was reached."""
    row = judged(f"seconds to {what} of {found['target']:g}", "s", target, found["seconds"])
    if not found["reached"]:
        row |= {"verdict": "MISSED", "note": "the quality was not reached"}
    return row
