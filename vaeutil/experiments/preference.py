"""ELBO against MMD at the common network, with plain and with causal decoders, over five seeds.

"vae" and "causal" are trained on the ELBO, "mmd" and "causal-mmd" on distortion + λ MMD² (α = 1,
λ = 1,000: no KL). The common recipe of `variant`, but half the steps for the slow causal decoders;
besides its figures those of `infovae.measure` among the first test images (mutual information at
most log 2,000 = 7.6 nats) and probe, the share of test digits that a linear probe on μ names.
"""

from pathlib import Path

from sklearn.linear_model import LogisticRegression

from vaeutil.aggregate import posteriors
from vaeutil.data import Images
from vaeutil.experiments import infovae, variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE, CausalInfoVAE, CausalVAE, InfoVAE
from vaeutil.seeding import seeded

CODE = (*infovae.CODE, "experiments/infovae.py")
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": variant.TRAINING,
    "evaluation": variant.EVALUATION | {"information_images": 2_000, "probe_images": 5_000},
}
SMOKE = {
    "training": variant.SMOKE["training"],
    "evaluation": variant.SMOKE["evaluation"] | {"information_images": 20, "probe_images": 100},
}
PRICES = {"alpha": 1.0, "lam": 1000.0}
KINDS = {
    "vae": lambda **sizes: VAE(**sizes),
    "mmd": lambda **sizes: InfoVAE(**sizes, **PRICES),
    "causal": lambda **sizes: CausalVAE(**sizes),
    "causal-mmd": lambda **sizes: CausalInfoVAE(**sizes, **PRICES),
}
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS: dict = {}


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model of this kind by the common recipe, and measure what its code tells.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = KINDS[kind](**config["model"])
    sizes = config["evaluation"]
    # The common NLL has proposals as narrow as q; that of `measure` widens them.
    common = {**config, "evaluation": {name: sizes[name] for name in variant.EVALUATION}}
    if kind.startswith("causal"):
        steps = config["training"]["steps"] // 2
        common["training"] = {**config["training"], "steps": steps, "valid_every": steps}
    outcome = variant.run(model, images, common, checkpoint, seed)
    few = sizes | {"nll_images": min(100, sizes["nll_images"]), "nll_k": min(200, sizes["nll_k"])}
    figures, _ = infovae.measure(model, images.test, few)
    figures["nll_widened"] = figures.pop("nll")
    del figures["negative_elbo"]
    codes, _ = posteriors(model, images.train[: sizes["probe_images"]])
    probe = LogisticRegression(max_iter=500)
    probe.fit(codes.numpy(), images.train.labels[: sizes["probe_images"]].numpy())
    test = images.test[: sizes["elbo_images"]]
    figures["probe"] = float(probe.score(posteriors(model, test)[0].numpy(), test.labels.numpy()))
    outcome.figures.update(figures)
    return outcome
