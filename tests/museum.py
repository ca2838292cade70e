"""The bug museum: bugs found in widely copied code, each put into ours, and the test it breaks.

    python tests/museum.py            apply each in a fork; the named test must fail
    python tests/museum.py --list     what is on show

`Exhibit.old` stands exactly once in the file; `new` takes its place. The numbers are those of the
chapter on debugging, which shows each on a curve or a sample. Exhibits without code of ours (a
library printing +log p as NLL, widget tests with stubs) have a test of another kind there.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from warm import Warm

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Exhibit:
    """One mutation: its number and name, where it goes, and the test that must fail."""

    number: str
    name: str
    file: str
    old: str
    new: str
    test: str


def unit(test: str) -> str:
    """The node id of a unit test."""
    return f"tests/unit/test_{test}"


EXHIBITS = (
    Exhibit(
        "1",
        "pixels averaged, latents summed",
        "vaeutil/models/likelihoods.py",
        "return torch.linalg.vecdot(logits, value) - F.softplus(logits).sum(-1)",
        "return (logits * value - F.softplus(logits)).mean(-1)",
        unit("models.py::test_loss_is_minus_the_elbo_in_nats"),
    ),
    Exhibit(
        "2",
        "KL averaged over latent dimensions",
        "vaeutil/divergences.py",
        "return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(-1)",
        "return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).mean(-1)",
        unit("divergences.py::test_diagonal_kl_sums_over_latents"),
    ),
    Exhibit(
        "3",
        "MMD divided by the number of pairs twice",
        "vaeutil/mmd.py",
        "    return _within(x, kernel) + _within(y, kernel) - 2 * across",
        "    n = len(x)\n"
        "    return (_within(x, kernel) + _within(y, kernel) - 2 * across) / (n * (n - 1))",
        unit("mmd.py::test_unbiased_by_loops_and_biased_by_scikit_learn"),
    ),
    Exhibit(
        "4a",
        "MMD with the diagonal kept in",
        "vaeutil/mmd.py",
        "    return (values.sum() - values.diagonal().sum()) / (n * (n - 1))",
        "    return values.mean()",
        unit("mmd.py::test_its_mean_is_zero_for_equal_laws_and_exact_for_gaussians"),
    ),
    Exhibit(
        "4b",
        "MMD without the cross term's diagonal, divided by n²",
        "vaeutil/mmd.py",
        "    across = kernel(squared_distances(_rows(x), _rows(y))).mean()\n    return _within(x",
        "    across = kernel(squared_distances(_rows(x), _rows(y)))\n"
        "    across = (across.sum() - across.diagonal().sum()) / across.numel()\n"
        "    return _within(x",
        unit("mmd.py::test_unbiased_by_loops_and_biased_by_scikit_learn"),
    ),
    Exhibit(
        "5",
        "kernel of the distance averaged over dimensions",
        "vaeutil/mmd.py",
        "    return squares.clamp(min=0)  # rounding",
        "    return squares.clamp(min=0) / x.shape[1]  # rounding",
        unit("mmd.py::test_distances_are_summed_over_dimensions"),
    ),
    Exhibit(
        "6",
        "a negative weight that drives q(z) away from the prior",
        "vaeutil/models/infovae.py",
        "    if alpha + lam < 1:",
        "    if False:",
        unit("models_infovae.py::test_prices_that_reward_what_they_should_charge"),
    ),
    Exhibit(
        "7a",
        "the loss in the place of the log-weight",
        "vaeutil/models/iwae.py",
        "    share = log_w.detach().softmax(0)",
        "    share = (-log_w.detach()).softmax(0)",
        unit("iwae.py::test_value_and_gradient_are_unbiased"),
    ),
    Exhibit(
        "7b",
        "weights that are not detached",
        "vaeutil/models/iwae.py",
        "    share = log_w.detach().softmax(0)",
        "    share = log_w.softmax(0)",
        unit("iwae.py::test_value_and_gradient_are_unbiased"),
    ),
    Exhibit(
        "7c",
        "a term averaged over the draws, as a closed-form KL is, inside the weights",
        "vaeutil/models/iwae.py",
        "log_w = log_joint(z) - gaussian(mean, std).log_prob(z)",
        "log_w = log_joint(z) - gaussian(mean, std).log_prob(z).mean(0)",
        unit("iwae.py::test_value_and_gradient_are_unbiased"),
    ),
    Exhibit(
        "8",
        "the variance as a standard deviation",
        "vaeutil/models/vae.py",
        "reconstruction = -self.likelihood(q.rsample()).log_prob(x).mean()",
        "z = q.mean + q.variance * torch.randn_like(q.mean)\n"
        "        reconstruction = -self.likelihood(z).log_prob(x).mean()",
        unit("models.py::test_loss_is_minus_the_elbo_in_nats"),
    ),
    Exhibit(
        "9",
        "a mixture taken in each dimension by itself",
        "vaeutil/models/priors.py",
        "    return td.MixtureSameFamily(weights, components, validate_args=False)",
        "    alone = td.MixtureSameFamily(\n"
        "        td.Categorical(logits=logits.expand(components.mean.shape[-1], -1)),\n"
        "        td.Normal(components.mean.T, components.stddev.T),\n"
        "        validate_args=False,\n"
        "    )\n"
        "    return td.Independent(alone, 1, validate_args=False)",
        unit("models_priors.py::test_the_mixture_sums_dimensions_before_components"),
    ),
    Exhibit(
        "10a",
        "a flow's log-determinant counted once a dimension",
        "vaeutil/flows/compose.py",
        "        return self.base.log_prob(epsilon) + log_det",
        "        return self.base.log_prob(epsilon) + self.flow.dim * log_det",
        unit("models_priors.py::test_the_flows_density_is_that_of_a_change_of_variables"),
    ),
    Exhibit(
        "10b",
        "a planar layer constrained by ‖w‖ for ‖w‖²",
        "vaeutil/flows/layers.py",
        "* w / w.square().sum(-1, keepdim=True)",
        "* w / w.norm(dim=-1, keepdim=True)",
        unit("flows.py::test_a_planar_layer_never_folds"),
    ),
    Exhibit(
        "10c",
        "a planar layer without a constraint",
        "vaeutil/flows/layers.py",
        "        u = u + (F.softplus(along) - 1 - along) * w / w.square().sum(-1, keepdim=True)",
        "        along = along",
        unit("flows.py::test_a_planar_layer_never_folds"),
    ),
    Exhibit(
        "11",
        "one scale in the transform, another in its log-determinant",
        "vaeutil/flows/layers.py",
        "        shift, log_scale = self._affine(z, context)\n"
        "        return z * log_scale.exp() + shift, log_scale.sum(-1)",
        "        shift, log_scale = self._affine(z, context)\n"
        "        return z * (log_scale + 2).sigmoid() + shift, F.logsigmoid(log_scale).sum(-1)",
        unit("flows.py::test_log_det_is_that_of_the_jacobian"),
    ),
    Exhibit(
        "12a",
        "one sample of −ELBO as NLL",
        "vaeutil/evaluation.py",
        "lambda w: math.log(k) - w.logsumexp(0)",
        "lambda w: -w[0]",
        unit("evaluation.py::test_more_samples_tighten_the_bound"),
    ),
    Exhibit(
        "12b",
        "+log p as NLL",
        "vaeutil/evaluation.py",
        "lambda w: math.log(k) - w.logsumexp(0)",
        "lambda w: w.logsumexp(0) - math.log(k)",
        unit("evaluation.py::test_nll_is_exact_with_the_exact_posterior"),
    ),
    Exhibit(
        "13a",
        "grey pixels in a Bernoulli likelihood",
        "vaeutil/data/observe.py",
        '    if kind == "binary":\n        return _binarise(flat, generator)\n'
        '    if kind == "grey":',
        '    if kind in ("binary", "grey"):',
        unit("data_observe.py::test_a_pixel_is_on_with_probability_pixel_over_255"),
    ),
    Exhibit(
        "13b",
        "pixels cut at one half",
        "vaeutil/data/observe.py",
        "    return (flat > noise).to(torch.float32)",
        "    return (flat > 127).to(torch.float32)",
        unit("data_observe.py::test_a_pixel_is_on_with_probability_pixel_over_255"),
    ),
    Exhibit(
        "15",
        "a learned σ that does not pay its logarithm",
        "vaeutil/models/fvae.py",
        "        reconstruction = -self.likelihood(w).log_prob(x).mean()",
        "        reconstruction = (-self.likelihood(w).log_prob(x) - 784 * self.log_sigma).mean()",
        unit("models_fvae.py::test_the_decoders_sigma_pays_for_itself"),
    ),
    Exhibit(
        "16a",
        "probabilistic PCA: the mean |r| as the noise",
        "vaeutil/linear.py",
        "        sigma = values[:-latent].mean().clamp(min=0).sqrt().item()",
        "        spread = values[:-latent].clamp(min=0).sqrt().mean().item()\n"
        "        sigma = spread * (2 / torch.pi) ** 0.5  # the mean |r| of a Gaussian",
        unit("linear.py::test_ppca_is_sklearns"),
    ),
    Exhibit(
        "16b",
        "VampPrior: the variance for the standard deviation",
        "vaeutil/models/priors.py",
        "        return mixture(self.pixels.new_zeros(len(self.pixels)), posterior(self.inputs))",
        "        q = posterior(self.inputs)\n"
        "        spread = (2 * q.stddev.log()).exp()\n"
        "        return mixture(self.pixels.new_zeros(len(self.pixels)), gaussian(q.mean, spread))",
        unit("models_priors.py::test_vamp_is_the_mean_of_the_encoders_posteriors"),
    ),
    Exhibit(
        "18",
        "a discriminator's loss that teaches the generator",
        "vaeutil/models/gan.py",
        "F.softplus(self.judge(fake.detach())).mean()",
        "F.softplus(self.judge(fake)).mean()",
        unit("models_gan.py::test_neither_player_learns_from_the_others_loss"),
    ),
)


def survives(exhibit: Exhibit, warm: Warm) -> str:
    """Why the exhibit was not caught, in words; empty where its test failed as it must."""
    source = (ROOT / exhibit.file).read_text(encoding="utf-8")
    if source.count(exhibit.old) != 1:
        return f"its text stands {source.count(exhibit.old)} times in {exhibit.file}"
    changed = source.replace(exhibit.old, exhibit.new)
    status, said = warm.run([exhibit.test], exhibit.file, changed)
    if status == 0:
        return f"{exhibit.test} passes all the same"
    if status != 1 or "Error collecting" in said or "error" in said[-80:]:
        return f"{exhibit.test} did not run:\n{said[-2000:]}"
    return ""


def main() -> None:
    """Apply every exhibit, or those whose numbers are given; exit 1 where one survives."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    show = [exhibit for exhibit in EXHIBITS if not wanted or exhibit.number in wanted]
    if "--list" in sys.argv:
        for exhibit in show:
            print(f"{exhibit.number:4s} {exhibit.name}: {exhibit.file}; caught by {exhibit.test}")
        return
    failed = 0
    with Warm() as warm:
        for exhibit in show:
            why = survives(exhibit, warm)
            failed += bool(why)
            print(f"{exhibit.number:4s} {exhibit.name}: {why or 'caught'}", flush=True)
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
