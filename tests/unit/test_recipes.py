"""The published recipes: their schedules, the loop that follows them, the networks they name."""

import math

import pytest
import torch
from torch import nn

from vaeutil.data import observe
from vaeutil.experiments import published_dynamic, published_static, recipes
from vaeutil.models import IWAE, ActivatedIWAE, load, save
from vaeutil.seeding import seeded

SMALL = {
    "model": {"latent": 3, "hidden": [8], "k": 1, "activation": "tanh"},
    "optimiser": {"name": "adam", "eps": 1e-4},
    "batch": 50,
    "schedule": [[6, 1e-2], [9, 1e-3]],
}


def made(recipe=SMALL) -> ActivatedIWAE:
    with seeded(0):
        return ActivatedIWAE(**recipe["model"])


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize(("name", "function"), [("tanh", torch.tanh), ("relu", torch.relu)])
def test_the_hidden_layers_have_the_activation(name, function):
    model = ActivatedIWAE(2, hidden=(5, 4), activation=name)
    z = torch.randn(7, 2)
    first, second, last = (m for m in model.decoder if isinstance(m, nn.Linear))
    by_hand = last(function(second(function(first(z)))))
    torch.testing.assert_close(model.preactivations(z), by_hand)


def test_it_is_read_back_with_its_activation(tmp_path):
    model = ActivatedIWAE(2, hidden=(5,), activation="relu").eval()
    save(model, tmp_path / "model.safetensors")
    z = torch.randn(4, 2)
    torch.testing.assert_close(load(tmp_path / "model.safetensors").decode(z), model.decode(z))


def test_with_the_books_activation_it_is_the_books_model():
    with seeded(3):
        ours = IWAE(2, hidden=(5,), k=4)
    with seeded(3):
        same = ActivatedIWAE(2, hidden=(5,), k=4, activation="gelu")
    x = torch.bernoulli(torch.rand(6, 784))
    with seeded(1):
        expected = ours.loss(x)["loss"]
    with seeded(1):
        assert same.loss(x)["loss"] == expected


def test_another_activation_or_net_is_refused():
    with pytest.raises(ValueError, match="tanh, relu, gelu"):
        ActivatedIWAE(2, activation="sine")
    with pytest.raises(ValueError, match="fully connected"):
        ActivatedIWAE(2, net="conv", hidden=8)


def test_the_schedule_of_burda_is_that_of_the_paper():
    recipe = recipes.burda(8, 60_000)
    epochs = [steps * 20 / 60_000 for steps, _ in recipe["schedule"]]
    assert epochs == [3**i for i in range(8)]
    assert sum(epochs) == 3_280
    rates = [lr for _, lr in recipe["schedule"]]
    assert rates == pytest.approx([0.001 * 10 ** (-i / 7) for i in range(8)])


def test_the_schedules_of_the_repositories():
    assert sum(steps for steps, _ in published_static.JAANLI["schedule"]) == 30_000
    steps, rates = zip(*published_static.PYTHAE["schedule"], strict=True)
    assert [s / 500 for s in steps] == [200, 150, 150]  # 500 steps of 100 are an epoch
    assert rates == pytest.approx([1e-4, 1e-4 * 10 ** (-1 / 5), 1e-4 * 10 ** (-2 / 5)])


def test_the_loop_is_that_of_plain_torch(blobs):
    recipe = {**SMALL, "schedule": [[3, 1e-2], [2, 1e-3]]}
    model, plain = made(recipe), made(recipe)
    recipes.train(model, blobs.train, recipe, None, seed=4)
    pixels = blobs.train.pixels.flatten(1)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-2, eps=1e-4)
    with seeded(4):
        plain.start_at_mean(pixels)
        order = torch.randperm(600, generator=torch.Generator().manual_seed(4_000_012))
        for step in range(5):
            if step == 3:
                optimiser.param_groups[0]["lr"] = 1e-3
            x = observe(pixels[order[50 * step : 50 * step + 50]], "binary")
            optimiser.zero_grad()
            plain.loss(x)["loss"].backward()
            optimiser.step()
    assert torch.equal(weights(model), weights(plain))


def test_what_was_interrupted_goes_on_to_the_same_weights(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "SAVE_EVERY", 4)
    whole, first, second = made(), made(), made()
    recipes.train(whole, blobs.train, SMALL, None, seed=0)
    calls, loss = iter(range(100)), first.loss

    def interrupted(x):
        if next(calls) == 10:
            raise KeyboardInterrupt
        return loss(x)

    monkeypatch.setattr(first, "loss", interrupted)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        recipes.train(first, blobs.train, SMALL, path, seed=0)
    recipes.train(second, blobs.train, SMALL, path, seed=0)
    assert torch.equal(weights(second), weights(whole))
    with pytest.raises(ValueError, match="another run"):
        recipes.train(made(), blobs.train, SMALL, path, seed=1)


def test_a_loss_that_is_not_finite_stops_the_run(blobs):
    mad = {**SMALL, "optimiser": {"name": "rmsprop"}, "schedule": [[20, 1e30]]}
    with pytest.raises(FloatingPointError, match="after 20 steps"):
        recipes.train(made(mad), blobs.train, mad, None, seed=0)


def test_a_run_has_its_figures(blobs):
    sizes = {"images": 60, "k": 30, "few": 20, "many_k": 120}
    outcome = recipes.run(blobs, SMALL, sizes, None, seed=0)
    found = outcome.figures
    assert found["nll"] < found["negative_elbo"]
    assert found["nll_many"] < found["nll_few"] + 3 * outcome.errors["nll_few"]
    assert (found["steps"], found["epochs"]) == (15, 15 * 50 / 600)
    assert all(math.isfinite(value) for value in found.values())


def test_dynamic_recipes_train_on_the_validation_images_too(blobs):
    both = published_dynamic.with_all(blobs)
    assert len(both.train) == 700
    assert torch.equal(both.train.pixels[600:], blobs.valid.pixels)
    assert torch.equal(both.train.labels[:600], blobs.train.labels)
    assert both.test is blobs.test
