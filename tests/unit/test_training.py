import copy
import json
import warnings
from itertools import pairwise

import pytest
import torch

from vaeutil import training
from vaeutil.models import AE, VAE, save
from vaeutil.training import fit, learning_rate


def small(seed=0, latent=2):
    torch.manual_seed(seed)
    return VAE(latent, hidden=(32,))


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_training_lowers_the_loss(blobs):
    history = fit(small(), blobs, steps=300, progress=False)
    (first, early, _), *_, (last, late, stderr) = history.valid
    assert (first, last) == (30, 300)
    assert late > early + 4 * stderr
    assert history.terms["loss"][-1] < history.terms["loss"][0]


def test_history_has_every_term_in_nats(blobs):
    history = fit(small(), blobs, steps=120, progress=False)
    assert list(history.terms) == ["loss", "reconstruction", "kl", "gradient norm"]
    assert history.unit == "nats"
    assert history.steps[-1] == 120
    for loss, a, b in zip(
        *[history.terms[k] for k in ("loss", "reconstruction", "kl")], strict=True
    ):
        assert loss == pytest.approx(a + b, rel=1e-5)
    assert json.loads(json.dumps(history.to_dict()))["steps"] == history.steps


def test_same_seed_same_weights(blobs):
    models = [small() for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        fit(model, blobs, steps=30, seed=seed, progress=False)
    assert torch.equal(weights(models[0]), weights(models[1]))
    assert not torch.equal(weights(models[0]), weights(models[2]))


def test_the_callers_random_numbers_stay(blobs):
    model = small()
    before = torch.get_rng_state()
    fit(model, blobs, steps=5, progress=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_fresh_model_starts_at_the_mean_image_and_a_trained_one_goes_on(blobs):
    model = small()
    fit(model, blobs, steps=1, lr=1e-9, progress=False)
    mean = blobs.train.pixels.float().mean(0).flatten() / 255
    torch.testing.assert_close(model.decoder[-1].bias, torch.logit(mean, eps=1e-3))
    with torch.no_grad():
        model.decoder[-1].bias.zero_()
    fit(model, blobs, steps=1, lr=1e-9, progress=False)
    assert model.decoder[-1].bias.abs().max() < 1e-6


def test_every_image_is_seen_once_an_epoch(blobs, monkeypatch):
    seen = []
    original = training.observe

    def spy(pixels, kind, *rest):
        seen.append(pixels.clone())
        return original(pixels, kind, *rest)

    monkeypatch.setattr(training, "observe", spy)
    fit(small(), blobs, steps=12, batch=100, valid_every=100, progress=False)
    for epoch in (seen[:6], seen[6:]):
        rows = {bytes(row.numpy().tobytes()) for row in torch.cat(epoch)}
        assert rows == {bytes(p.flatten().numpy().tobytes()) for p in blobs.train.pixels}
    assert not torch.equal(torch.cat(seen[:6]), torch.cat(seen[6:]))


def test_binarised_pixels_are_drawn_anew(blobs, monkeypatch):
    drawn = []

    class Watching(VAE):
        def loss(self, x, y=None):
            drawn.append(x.clone())
            return super().loss(x, y)

    fit(Watching(2, hidden=(8,)), blobs, steps=2, batch=600, progress=False)
    assert set(drawn[0].unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(drawn[0].sum(0), drawn[1].sum(0))


def test_a_resumed_run_ends_at_the_very_same_weights(blobs, tmp_path):
    whole, parts = small(), small()
    fit(whole, blobs, steps=100, valid_every=25, progress=False)

    calls = 0
    original = parts.loss

    def stop_halfway(x, y=None):
        nonlocal calls
        calls += 1
        if calls == 70:
            raise KeyboardInterrupt
        return original(x, y)

    path = tmp_path / "run.safetensors"
    parts.loss = stop_halfway
    history = fit(parts, blobs, steps=100, valid_every=25, checkpoint=path, progress=False)
    assert history.interrupted
    assert history.steps[-1] == 50

    again = small(seed=7)  # other initial weights: the checkpoint's count
    history = fit(again, blobs, steps=100, valid_every=25, checkpoint=path, progress=False)
    assert torch.equal(weights(whole), weights(again))
    assert history.steps == [25, 50, 75, 100]
    assert not history.interrupted
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_finished_run_is_not_run_again(blobs, tmp_path):
    path = tmp_path / "run.safetensors"
    model = small()
    first = fit(model, blobs, steps=20, checkpoint=path, progress=False)
    other = small(seed=3)
    second = fit(other, blobs, steps=20, checkpoint=path, progress=False)
    assert torch.equal(weights(model), weights(other))
    assert second.steps == first.steps


def test_interrupting_returns_the_model_as_it_is(blobs):
    model = small()
    start = weights(model)
    original, calls = model.loss, 0

    def stop(x, y=None):
        nonlocal calls
        calls += 1
        if calls == 60:
            raise KeyboardInterrupt
        return original(x, y)

    model.loss = stop
    history = fit(model, blobs, steps=500, progress=False)
    assert history.interrupted
    assert history.steps == [50]
    assert not torch.equal(weights(model), start)
    assert not model.training


@pytest.mark.parametrize("change", [{"steps": 40}, {"seed": 1}, {"lr": 1e-4}, {"batch": 64}])
def test_a_checkpoint_of_another_run_is_refused(blobs, tmp_path, change):
    path = tmp_path / "run.safetensors"
    fit(small(), blobs, steps=20, checkpoint=path, progress=False)
    model = small()
    before = weights(model)
    with pytest.raises(ValueError, match="checkpoint of another run: its settings"):
        fit(model, blobs, **{"steps": 20, "checkpoint": path, "progress": False} | change)
    assert torch.equal(weights(model), before)


def test_a_checkpoint_of_another_model_is_refused(blobs, tmp_path):
    path = tmp_path / "run.safetensors"
    fit(small(), blobs, steps=20, checkpoint=path, progress=False)
    with pytest.raises(ValueError, match="another run: its config"):
        fit(small(latent=3), blobs, steps=20, checkpoint=path, progress=False)
    save(small(), path)
    with pytest.raises(ValueError, match="not a checkpoint"):
        fit(small(), blobs, steps=20, checkpoint=path, progress=False)
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match="damaged"):
        fit(small(), blobs, steps=20, checkpoint=path, progress=False)


def test_nan_names_the_step_the_term_and_what_to_try(blobs):
    model = small()
    original, calls = model.loss, 0

    def break_at_73(x, y=None):
        nonlocal calls
        calls += 1
        terms = original(x, y)
        if calls == 73:
            terms["kl"] = terms["kl"] * float("nan")
            terms["loss"] = terms["reconstruction"] + terms["kl"]
        return terms

    model.loss = break_at_73
    with pytest.raises(
        FloatingPointError, match=r"Step 73: kl is nan. Try a smaller learning rate"
    ):
        fit(model, blobs, steps=200, progress=False)


def test_a_gradient_that_is_not_finite_is_named(blobs):
    class Broken(AE):
        def loss(self, x, y=None):
            error = super().loss(x, y)["loss"]
            return {"loss": error + (0 * self.encode(x).sum()).sqrt()}  # finite; its slope is not

    with pytest.raises(FloatingPointError, match="Step 1: gradient norm is nan"):
        fit(Broken(2, hidden=(8,)), blobs, steps=5, progress=False)


def test_clipping_bounds_the_gradient(blobs, monkeypatch):
    norms = []
    model = small()
    original = torch.optim.Adam.step

    def spy(self, *args):
        norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())
        return original(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    history = fit(model, blobs, steps=10, clip=1.5, progress=False)
    assert max(norms) == pytest.approx(1.5, rel=1e-4)
    assert max(history.terms["gradient norm"]) > 1.5  # the norm before clipping


def test_a_watcher_sees_each_validation(blobs):
    seen = []
    fit(small(), blobs, steps=90, valid_every=40, progress=False,
        watch=lambda h: seen.append((h.steps[-1], len(h.valid))))  # fmt: skip
    assert seen == [(40, 1), (80, 2), (90, 3)]


def test_learning_rate_rises_then_falls():
    rates = [learning_rate(step, 1_000, 2e-3, 100) for step in range(1_000)]
    assert rates[0] == pytest.approx(2e-5)
    assert max(rates) == rates[99] == rates[100] == pytest.approx(2e-3)
    assert all(a > b for a, b in pairwise(rates[100:]))
    assert rates[-1] < 1e-8
    assert learning_rate(0, 1, 1e-3, 200) == pytest.approx(1e-3)


def test_autoencoder_trains_without_an_elbo(blobs):
    history = fit(AE(2, hidden=(32,)), blobs, steps=100, progress=False)
    assert history.valid == []
    assert history.unit == "squared error per image"
    assert history.terms["loss"][-1] < history.terms["loss"][0]


def test_gaussian_likelihood_learns_its_sigma(blobs):
    model = VAE(2, hidden=(32,), likelihood="gaussian")
    before = model.log_sigma.item()
    fit(model, blobs, steps=100, progress=False)
    assert model.log_sigma.item() != before


def test_bf16_reaches_about_the_same_loss(blobs):
    losses = []
    for bf16 in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = fit(small(), blobs, steps=150, bf16=bf16, progress=False)
        losses.append(history.terms["loss"][-1])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert losses[1] != losses[0]


def test_a_cpu_without_bf16_is_told(blobs, monkeypatch):
    monkeypatch.setattr(training, "_cpu_has_bf16", lambda: False)
    with pytest.warns(UserWarning, match="far slower than float32"):
        fit(small(), blobs, steps=1, bf16=True, device="cpu", progress=False)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "steps must be a positive whole number"),
        ({"steps": 2.5}, "steps must be a positive whole number"),
        ({"batch": 0}, "batch must be"),
        ({"batch": 601}, "more than the 600 training images"),
        ({"lr": 0.0}, "must be positive"),
        ({"clip": -1.0}, "must be positive"),
    ],
)
def test_settings_that_cannot_work(blobs, setting, message):
    model = small()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=message):
        fit(model, blobs, **{"steps": 10} | setting)
    assert all(
        torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True)
    )


def test_the_last_line_of_progress_holds_the_terms(blobs, capsys):
    fit(small(), blobs, steps=60)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1  # no terminal: only the last state
    assert lines[0].startswith("step 60 of 60 · ")
    assert "reconstruction + " in lines[0]
    assert " kl nats · validation ELBO −" in lines[0].replace("-", "−")
