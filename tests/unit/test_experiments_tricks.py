"""The experiment on the tricks of the recipe: each leaves out what its name says."""

import math

import pytest
import torch
from torch import nn

from vaeutil.data import observe
from vaeutil.experiments import runner, tricks
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

SIZES = {
    "model": {"latent": 2, "hidden": [8]},
    "training": {"steps": 11, "batch": 128, "lr": 2e-3, "warmup": 3, "clip": 150.0},
    "evaluation": {"elbo_images": 50, "nll_images": 6, "nll_k": 10},
}


def built(seed=0):
    with seeded(seed):
        return VAE(**SIZES["model"])


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def trained(images, **changes):
    model = built()
    tricks.train(model, images, 0, **SIZES["training"] | changes)
    return weights(model)


def test_with_every_trick_it_is_fit(blobs):
    one = built()
    tricks.train(one, blobs, 0, **SIZES["training"])  # 600 images: the order is drawn three times
    other = built()
    fit(other, blobs, progress=False, device="cpu", **SIZES["training"])
    assert torch.equal(weights(one), weights(other))
    assert not one.fresh


def test_a_constant_rate_is_plain_adam(blobs, monkeypatch):
    seen = []
    original = torch.optim.Adam.step

    def spy(self):
        seen.append(self.param_groups[0]["lr"])
        return original(self)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    trained(blobs, constant=1e-3)
    assert seen == [1e-3] * 11
    trained(blobs)
    assert len(set(seen[11:])) > 5


def test_clipping_matters_only_where_the_gradient_is_long(blobs):
    assert not torch.equal(trained(blobs, clip=1.0), trained(blobs, clip=math.inf))
    assert torch.equal(trained(blobs, clip=1e9), trained(blobs, clip=math.inf))


def test_the_output_bias_starts_where_it_should(blobs, monkeypatch):
    calls = []
    monkeypatch.setattr(VAE, "start_at_mean", lambda self, pixels: calls.append(len(pixels)))
    trained(blobs, mean_image=False)
    assert calls == []
    trained(blobs)
    assert calls == [600]


def test_the_network_of_each_kind():
    plain = tricks.build({"latent": 3, "hidden": [20]})
    layers = [type(layer) for layer in plain.encoder]
    assert layers == [nn.Linear, nn.GELU, nn.Linear]
    tanh = tricks.build({"latent": 3, "hidden": [20]}, activation=nn.Tanh)
    assert [type(layer) for layer in tanh.decoder] == [nn.Linear, nn.Tanh, nn.Linear]
    default = tricks.build({"latent": 3, "hidden": [20]}, weights="torch")
    # torch: uniform up to 1/√inputs, biases alike. Glorot: up to √(6 / (inputs + outputs)), 0.
    for layers, bound in ((plain, math.sqrt(6 / 804)), (default, 1 / 28)):
        largest = layers.encoder[0].weight.abs().max().item()
        assert 0.99 * bound < largest <= bound
    assert plain.encoder[0].bias.abs().max() == 0
    assert 0 < default.encoder[0].bias.abs().max() <= 1 / 28


def test_binarised_once_is_the_same_at_each_look(blobs):
    once = tricks.binarised_once(blobs, 0)
    assert set(once.train.pixels.unique().tolist()) == {0, 255}
    looks = [observe(once.train.pixels, "binary") for _ in range(2)]
    assert torch.equal(*looks)
    assert torch.equal(once.train.labels, blobs.train.labels)
    assert torch.equal(once.test.pixels, blobs.test.pixels)
    grey = blobs.train.pixels.float().mean()
    assert once.train.pixels.float().mean() == pytest.approx(grey.item(), rel=0.02)


@pytest.mark.parametrize("kind", tricks.KINDS)
def test_a_tiny_run_of_each_kind(kind, blobs):
    outcome = tricks.run(blobs, SIZES, None, kind=kind, seed=0)
    assert set(outcome.figures) == {"negative_elbo", "nll", "processor_seconds"}
    assert set(outcome.errors) == {"negative_elbo", "nll"}
    assert all(math.isfinite(value) for value in outcome.figures.values())
    again = tricks.run(blobs, SIZES, None, kind=kind, seed=0).figures
    again["processor_seconds"] = outcome.figures["processor_seconds"]
    assert again == outcome.figures


def test_a_diverged_training_is_told(blobs):
    with pytest.raises(FloatingPointError, match="has diverged"):
        trained(blobs, constant=1e30, clip=math.inf)


def test_the_code_it_was_made_from_is_named():
    for file in tricks.CODE:
        assert (runner.machine.PACKAGE / file).exists()
    assert len(tricks.RUNS) == 5 * len(tricks.KINDS)
    assert tricks.CONFIG["model"] == tricks.variant.NETWORK
    common = tricks.variant.TRAINING
    assert all(tricks.CONFIG["training"][name] == common[name] for name in ("steps", "batch", "lr"))
