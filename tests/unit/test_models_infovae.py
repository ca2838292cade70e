import math

import pytest
import torch

from vaeutil.divergences import gaussian_kl
from vaeutil.experiments import fewdigits, infovae, preference
from vaeutil.mmd import imq_scales, mmd2
from vaeutil.models import VAE, BetaVAE, CausalInfoVAE, CausalVAE, InfoVAE, load, save
from vaeutil.seeding import seeded
from vaeutil.training import fit


def build(cls, seed=0, **arguments):
    with seeded(seed):
        return cls(3, hidden=(12,), **arguments)


def images(n=16):
    return torch.rand(n, 784, generator=torch.Generator().manual_seed(0)).round()


def loss(model, x, seed=1):
    with seeded(seed):
        return model.loss(x)


@pytest.mark.parametrize("cls", [InfoVAE, CausalInfoVAE])
@pytest.mark.parametrize(("alpha", "lam"), [(0.0, 1.0), (0.5, 100.0), (1.0, 50.0), (-3.0, 4.0)])
def test_the_loss_is_the_priced_sum_of_its_parts(cls, alpha, lam):
    model, x = build(cls, alpha=alpha, lam=lam), images()
    with seeded(1):
        q = model.posterior(x)
        z = q.rsample()
        prior = torch.randn(16, 3)
    reconstruction = -model.likelihood(z).log_prob(x).mean()
    kl = gaussian_kl(q.mean, q.stddev).mean()
    found = loss(model, x)
    torch.testing.assert_close(found["reconstruction"], reconstruction)
    torch.testing.assert_close(found["kl"], kl)
    total = reconstruction + (1 - alpha) * kl
    if alpha + lam > 1:
        discrepancy = mmd2(z, prior, imq_scales(3))
        torch.testing.assert_close(found["mmd2"], discrepancy, atol=1e-5, rtol=1e-4)
        total = total + (alpha + lam - 1) * discrepancy
    torch.testing.assert_close(found["loss"], total, atol=1e-3, rtol=1e-5)


def test_the_corner_is_the_vae_draw_by_draw(blobs):
    models = [build(VAE), build(InfoVAE, alpha=0.0, lam=1.0)]
    for model in models:
        fit(model, blobs, steps=5, batch=16, seed=4, progress=False)
    for one, other in zip(*(m.parameters() for m in models), strict=True):
        assert torch.equal(one, other)


def test_where_the_discrepancy_has_no_weight_it_is_a_beta_vae():
    x = images()
    found = loss(build(InfoVAE, alpha=-3.0, lam=4.0), x)
    torch.testing.assert_close(found["loss"], loss(build(BetaVAE, beta=4.0), x)["loss"])


def test_evaluation_does_not_know_the_prices():
    x = images(3)
    for plain, priced in ((VAE, InfoVAE), (CausalVAE, CausalInfoVAE)):
        models = build(plain), build(priced, alpha=1.0, lam=1000.0)
        values = []
        for model in models:
            with seeded(2):
                values.append(model.log_weights(x, 4))
        torch.testing.assert_close(*values)


def test_the_floor():
    model, free = build(InfoVAE, floor=0.2), build(InfoVAE)
    x = images(4)
    q, p = model.posterior(x), free.posterior(x)
    torch.testing.assert_close(q.variance, p.variance + 0.04)
    torch.testing.assert_close(q.mean, p.mean)


def test_gradients_by_finite_differences():
    model, x = build(InfoVAE, alpha=0.3, lam=20.0).double(), images(6).double()
    bias = model.encoder[-1].bias

    def value():
        with seeded(1):
            q = model.posterior(x)
            z = q.mean + q.stddev * torch.randn(6, 3, dtype=torch.float64)
            prior = torch.randn(6, 3, dtype=torch.float64)
        rate = gaussian_kl(q.mean, q.stddev).mean()
        return 0.7 * rate + 19.3 * mmd2(z, prior, imq_scales(3))

    (slope,) = torch.autograd.grad(value(), bias)
    step = 1e-3  # the encoder's output passes through float32
    for i in range(len(bias)):
        with torch.no_grad():
            bias[i] += step
            above = value()
            bias[i] -= 2 * step
            below = value()
            bias[i] += step
        assert slope[i].item() == pytest.approx(((above - below) / (2 * step)).item(), abs=2e-3)


@pytest.mark.parametrize("cls", [InfoVAE, CausalInfoVAE])
def test_prices_that_reward_what_they_should_charge(cls):
    for alpha, lam in ((1.1, 5.0), (math.nan, 1.0), (0.0, math.inf)):
        with pytest.raises(ValueError, match="alpha must be a number up to 1"):
            build(cls, alpha=alpha, lam=lam)
    with pytest.raises(ValueError, match="would drive them apart"):
        build(cls, alpha=0.0, lam=1e-3)


def test_floor_is_checked():
    for floor in (-0.1, math.inf, math.nan):
        with pytest.raises(ValueError, match="floor must be"):
            build(InfoVAE, floor=floor)


@pytest.mark.parametrize(
    "model",
    [build(InfoVAE, alpha=0.5, lam=7.0, floor=0.1), build(CausalInfoVAE, alpha=1.0, lam=7.0)],
    ids=["independent", "causal"],
)
def test_storage(model, tmp_path):
    save(model, tmp_path / "model.safetensors")
    other = load(tmp_path / "model.safetensors")
    assert type(other) is type(model)
    assert other.config == model.config
    x = images(3)
    torch.testing.assert_close(other.posterior(x).mean, model.posterior(x).mean)


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (infovae, {"alpha": 1.0, "lam": 100.0}),
        (preference, {"kind": "causal-mmd"}),
        (fewdigits, {"kind": "floor", "count": 100}),
    ],
    ids=["infovae", "preference", "fewdigits"],
)
def test_an_experiment_runs(module, arguments, blobs, tmp_path):
    config = {name: {**values, **module.SMOKE.get(name, {})} for name, values in
              module.CONFIG.items()}  # fmt: skip
    outcome = module.run(blobs, config, tmp_path / "checkpoint", **arguments, seed=0)
    assert all(math.isfinite(value) for value in outcome.figures.values())
    if module is fewdigits:
        assert outcome.figures["gain_12"] >= 0
    else:
        total = outcome.figures["mutual_information"] + outcome.figures["aggregate_kl"]
        assert abs(total) < 100
    assert module.RUNS[0].keys() == {*arguments, "seed"}


def test_wider_proposals_never_loosen_the_bound():
    model = build(VAE)
    from vaeutil.data import Split

    pixels = torch.randint(0, 256, (6, 28, 28)).to(torch.uint8)
    split = Split(pixels, torch.zeros(6, dtype=torch.int64))
    found = infovae.widened_nll(model, split, 50)
    assert found["width"] in infovae.WIDTHS
    assert math.isfinite(found["nll"])
