"""What a model is when nothing is said: results stored without a word on it depend on that."""

import pytest
import torch

from vaeutil import models
from vaeutil.models import (
    AE,
    FVAE,
    GAN,
    IWAE,
    VAE,
    AuxiliaryVAE,
    BetaVAE,
    CompletionNet,
    CompletionVAE,
    FlowVAE,
    InfoVAE,
    PriorVAE,
    VisibleVAE,
    WarmVAE,
)
from vaeutil.models.priors import FlowPrior

MLP = {"net": "mlp", "hidden": [500, 500]}
VAES = MLP | {"likelihood": "bernoulli", "sigma": None}
DEFAULTS = {
    AE: MLP,
    VAE: VAES,
    BetaVAE: VAES | {"beta": 1.0, "free_bits": 0.0},
    IWAE: VAES,
    InfoVAE: VAES | {"alpha": 0.0, "lam": 1.0, "floor": 0.0},
    AuxiliaryVAE: VAES | {"auxiliary": 2, "context": 32, "width": 64},
    FlowVAE: VAES | {"depth": 4, "context": 32, "flow_hidden": [64]},
    PriorVAE: VAES,
    FVAE: MLP | {"depth": 4, "width": [64]},
    GAN: MLP | {"critic": [256, 128], "objective": "non-saturating", "penalty": 2.0},
    VisibleVAE: MLP | {"reach": 783},
    WarmVAE: MLP | {"reach": 0, "beta": 1.0, "free_bits": 0.0, "warmup": 0},
}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_settings_by_default(kind):
    model = kind(2)
    assert {name: model.config[name] for name in DEFAULTS[kind]} == DEFAULTS[kind]
    assert model.config["latent"] == 2
    assert model.unit == ("squared error per image" if kind is AE else "nats")


@pytest.mark.parametrize("make", [CompletionNet, lambda quadrants: CompletionVAE(quadrants, 2)])
def test_a_completion_has_the_books_layers_by_default(make):
    assert make(1).config["hidden"] == [500, 500]


def test_the_widths_of_a_flow_prior():
    assert FlowPrior(4).flow.flows[0].net[0].out_features == 64
    assert FlowPrior(4, 1, (7,)).flow.flows[0].net[0].out_features == 7


def test_a_weight_from_each_pixel_to_each():
    assert VisibleVAE(2, hidden=(8,), reach=3).weights.shape == (784, 784)


def test_what_follows_from_the_settings_is_not_stored():
    fixed = VAE(2, hidden=(8,), likelihood="gaussian", sigma=0.3)
    names = set(fixed.state_dict())
    assert names == {name for name, _ in fixed.named_parameters()}


def test_all_kinds_of_flow_posterior_leave_autocast(tmp_path):
    """Under bf16 the encoder's numbers come as bfloat16; the law is in float32."""
    model, x = FlowVAE(2, hidden=(8,)), torch.rand(3, 784).round()
    with torch.autocast("cpu", torch.bfloat16):
        assert model.choice(x).dtype == torch.float32
        assert model.log_weights(x, 2).dtype == torch.float32
    models.save(model, tmp_path / "m.safetensors")
    assert models.load(tmp_path / "m.safetensors").config == model.config
