"""The GAN and its game, against formulas, quadrature and a loop written anew."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from sklearn.metrics import log_loss
from torch import nn

from vaeutil import models
from vaeutil.adversarial import NAMES, Game
from vaeutil.data import Images, observe
from vaeutil.evaluation import elbo, nll
from vaeutil.models import GAN
from vaeutil.widgets import LatentExplorer

SMALL = {"latent": 2, "hidden": [6], "critic": [5, 4]}


def small(seed=0, **changes):
    torch.manual_seed(seed)
    return GAN(**{**SMALL, **changes})


def batch(n=7, seed=1):
    return torch.rand(n, 784, generator=torch.Generator().manual_seed(seed))


def test_the_discriminators_loss_is_the_cross_entropy_of_a_classifier():
    model, real, fake = small(penalty=0.0), batch(8), batch(8, 2)
    share = torch.sigmoid(model.judge(torch.cat([real, fake]))).detach().double().numpy()
    wanted = 2 * log_loss([1] * 8 + [0] * 8, share)  # a mean over sixteen; ours adds two means
    found = model.discriminator_loss(real, fake)
    assert found["discriminator"].item() == pytest.approx(wanted, rel=1e-5)
    assert found["penalty"].item() == 0


def test_at_the_best_discriminator_the_loss_is_two_log_two_less_two_jensen_shannon():
    model = small(penalty=0.0)
    data, made = scipy.stats.norm(0.5, 0.1), scipy.stats.norm(0.6, 0.15)

    class LogRatio(nn.Module):
        def forward(self, x):  # of the first pixel; the others are constant
            at = x[:, :1].double().numpy()
            return torch.from_numpy(data.logpdf(at) - made.logpdf(at))

    model.discriminator = LogRatio()

    def integrand(x):
        p, q = data.pdf(x), made.pdf(x)
        return 0.5 * (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q)))

    jensen_shannon, _ = scipy.integrate.quad(integrand, -0.5, 1.6)
    n = 200_000
    real, fake = torch.zeros(n, 784), torch.zeros(n, 784)
    rng = np.random.default_rng(0)
    real[:, 0] = torch.from_numpy(data.rvs(n, random_state=rng))
    fake[:, 0] = torch.from_numpy(made.rvs(n, random_state=rng))
    found = model.discriminator_loss(real, fake)["discriminator"].item()
    terms = torch.nn.functional.softplus(-model.judge(real)).std().item()
    terms += torch.nn.functional.softplus(model.judge(fake)).std().item()
    wanted = 2 * math.log(2) - 2 * jensen_shannon
    assert abs(found - wanted) < 4 * terms / math.sqrt(n)


def test_the_penalty_is_the_squared_slope_by_finite_differences():
    model = small(penalty=3.0).double()
    model.judge = lambda x: model.discriminator(x).squeeze(-1)  # without the cast to float32
    real = batch(3).double()
    slopes = np.zeros((3, 784))
    with torch.no_grad():
        for i in range(784):
            step = torch.zeros(784, dtype=torch.float64)
            step[i] = 1e-6
            slopes[:, i] = (model.judge(real + step) - model.judge(real - step)).numpy() / 2e-6
    wanted = 1.5 * (slopes**2).sum(1).mean()
    found = model.discriminator_loss(real, real)["penalty"]
    assert found.item() == pytest.approx(wanted, rel=1e-6)

    # and its gradient with respect to a weight, which needs the second derivative
    weight = model.discriminator[2].weight
    (slope,) = torch.autograd.grad(found, weight)
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[1, 2] += sign * 1e-5
        ends.append(model.discriminator_loss(real, real)["penalty"].item())
        with torch.no_grad():
            weight[1, 2] -= sign * 1e-5
    assert slope[1, 2].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_a_linear_discriminator_pays_for_its_weights():
    model = small(penalty=4.0)
    model.discriminator = nn.Sequential(nn.Linear(784, 1))
    found = model.discriminator_loss(batch(), batch())["penalty"].item()
    assert found == pytest.approx(2 * model.discriminator[0].weight.square().sum().item(), rel=1e-5)


@pytest.mark.parametrize("objective", ["non-saturating", "saturating"])
def test_the_generators_two_losses(objective):
    model = small(objective=objective)
    with torch.no_grad():
        model.discriminator[-1].bias.fill_(-6.0)  # a discriminator that is sure
    fake = batch()
    logit = model.judge(fake).detach().requires_grad_()
    share = torch.sigmoid(logit)
    wanted = (1 - share).log().mean() if objective == "saturating" else -share.log().mean()
    model.judge = lambda x: logit
    loss = model.generator_loss(fake)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-4)
    (slope,) = torch.autograd.grad(loss, logit)
    expected = -share / 7 if objective == "saturating" else -(1 - share) / 7
    torch.testing.assert_close(slope, expected.detach())
    assert (slope.abs().max() < 0.01 / 7) == (objective == "saturating")


def test_neither_player_learns_from_the_others_loss():
    model = small()
    fake = model.decode(model.prior.sample((5,)))
    losses = model.discriminator_loss(batch(5), fake)
    (losses["discriminator"] + losses["penalty"]).backward()
    assert all(p.grad is None for p in model.decoder.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())


def test_it_has_no_density(blobs):
    model = small()
    assert not hasattr(model, "log_weights")
    assert not hasattr(model, "encoder")
    for measure in (elbo, nll):
        with pytest.raises(TypeError, match="GAN gives no density"):
            measure(model, blobs.test)


def test_samples_are_decoded_draws_of_the_prior():
    model = small()
    torch.manual_seed(3)
    x = model.sample(4)
    torch.manual_seed(3)
    z = model.prior.sample((4,))
    with torch.no_grad():
        torch.testing.assert_close(x, torch.sigmoid(model.decoder(z)))
    assert x.shape == (4, 784)
    assert model.prior.log_prob(torch.zeros(2)).item() == pytest.approx(-math.log(2 * math.pi))


def test_stored_and_explored(tmp_path):
    model = small(objective="saturating", penalty=0.5)
    models.save(model, tmp_path / "gan.safetensors")
    again = models.load(tmp_path / "gan.safetensors")
    assert again.config == model.config
    x = batch()
    torch.testing.assert_close(again.judge(x), model.judge(x))
    explorer = LatentExplorer(again, z=[0.5, -1.0])
    with torch.no_grad():
        wanted = 255 * model.decode(torch.tensor([0.5, -1.0]))
    np.testing.assert_allclose(np.frombuffer(explorer.image, np.uint8), wanted, atol=1)


def test_settings_that_cannot_be():
    for wrong, message in [
        ({"objective": "wasserstein"}, "choose non-saturating or saturating"),
        ({"penalty": -1.0}, "from 0 on"),
        ({"penalty": math.inf}, "from 0 on"),
        ({"critic": []}, "positive whole numbers"),
        ({"critic": [0]}, "positive whole numbers"),
        ({"critic": [2.5]}, "positive whole numbers"),
        ({"latent": 0}, "at least one dimension"),
    ]:
        with pytest.raises(ValueError, match=message):
            small(**wrong)
    with pytest.raises(ValueError, match="floats of shape"):
        small().judge(torch.zeros(3, 28, 28))


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_game_is_the_plain_loop(blobs):
    """Two steps with a loop that is written anew, and shares only the draws."""
    model, by_hand = small(penalty=1.5), small(penalty=1.5)
    settings = {"batch": 16, "lr": 3e-3, "critic_lr": 2e-3}
    history = Game(model, blobs, seed=5, progress=False, **settings).play(2)

    by_hand.start_at_mean(blobs.train.pixels)
    random = torch.Generator().manual_seed(5)
    of_g = torch.optim.Adam(by_hand.decoder.parameters(), lr=3e-3, betas=(0.5, 0.99))
    of_d = torch.optim.Adam(by_hand.discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    bce = nn.BCEWithLogitsLoss()
    seen = []
    for _ in range(2):
        index = torch.randint(600, (16,), generator=random)
        real = (blobs.train.pixels[index].flatten(1).float() / 255).requires_grad_()
        fake = torch.sigmoid(by_hand.decoder(torch.randn(16, 2, generator=random)))
        one, zero = torch.ones(16, 1), torch.zeros(16, 1)
        logit = by_hand.discriminator(real)
        (slope,) = torch.autograd.grad(logit.sum(), real, create_graph=True)
        loss = bce(logit, one) + bce(by_hand.discriminator(fake.detach()), zero)
        penalty = 0.75 * slope.pow(2).sum(1).mean()
        of_d.zero_grad()
        (loss + penalty).backward()
        of_d.step()
        mine = bce(by_hand.discriminator(fake), one)
        of_g.zero_grad()
        mine.backward()
        of_g.step()
        seen.append([loss.item(), penalty.item(), mine.item()])
    for a, b in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    for name, values in zip(NAMES, np.mean(seen, axis=0), strict=True):
        assert history.terms[name] == [pytest.approx(values, rel=1e-4)]
    assert history.terms["loss"] == [pytest.approx(np.mean(seen, axis=0).sum(), rel=1e-4)]


def test_a_game_goes_on_where_it_was(blobs):
    whole, halves, other = small(), small(), small()
    before = torch.get_rng_state()
    Game(whole, blobs, seed=1, batch=16, progress=False).play(6)
    game = Game(halves, blobs, seed=1, batch=16, progress=False)
    game.play(2)
    torch.rand(5)  # nobody else's random numbers matter
    assert game.play(4).steps == [2, 6]
    Game(other, blobs, seed=2, batch=16, progress=False).play(6)
    assert same(weights(whole), weights(halves))
    assert not same(weights(whole), weights(other))
    torch.set_rng_state(before)
    Game(small(), blobs, progress=False, batch=4)
    assert game.step == 6
    assert not halves.fresh
    assert all(p.requires_grad for p in halves.parameters())


def test_a_game_leaves_the_callers_random_numbers(blobs):
    model = small()
    torch.manual_seed(9)
    wanted = torch.rand(3)
    torch.manual_seed(9)
    Game(model, blobs, batch=8, progress=False).play(2)
    assert torch.equal(torch.rand(3), wanted)


def test_the_average_of_the_generator(blobs):
    model = small()
    game = Game(model, blobs, batch=8, average=0.7, progress=False)
    with pytest.raises(ValueError, match="nothing to average"):
        game.averaged()
    seen = []
    for _ in range(4):
        game.play(1)
        seen.append(model.decoder[0].weight.detach().double().numpy().copy())
    shares = 0.7 ** np.arange(3, -1, -1)
    wanted = np.average(seen, axis=0, weights=shares)
    found = game.averaged()
    np.testing.assert_allclose(found.decoder[0].weight.detach(), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.decoder[0].weight.detach(), seen[-1].astype(np.float32))
    np.testing.assert_array_equal(
        found.discriminator[0].weight.detach(), model.discriminator[0].weight.detach()
    )


def test_it_learns(blobs):
    """The generated images come to be about as bright as the data, from ten times brighter."""
    model = small(hidden=[20], critic=[30])
    game = Game(model, blobs, batch=32, lr=5e-3, critic_lr=5e-3, progress=False)
    with torch.no_grad():
        model.decoder[-1].bias.fill_(0.0)  # grey
    game.play(300)
    data = observe(blobs.train.pixels, "grey").mean().item()
    torch.manual_seed(0)
    assert game.averaged().sample(500).mean().item() == pytest.approx(data, rel=0.5)


@pytest.mark.parametrize(("player", "name"), [("decoder", "discriminator"), ("both", "generator")])
def test_a_loss_that_is_not_finite_is_named(blobs, player, name):
    model = small(penalty=0.0)
    game = Game(model, blobs, batch=8, progress=False)
    game.play(3)
    if player == "decoder":
        with torch.no_grad():
            model.decoder[0].weight.fill_(math.nan)
    else:
        model.generator_loss = lambda fake: fake.sum() * math.nan
    with pytest.raises(FloatingPointError, match=f"Step 4: {name} is nan"):
        game.play(2)


def test_games_that_cannot_be_played(blobs):
    for wrong, message in [
        ({"batch": 0}, "batch must be"),
        ({"batch": True}, "batch must be"),
        ({"lr": 0.0}, "must be positive"),
        ({"critic_lr": -1.0}, "must be positive"),
        ({"average": 1.0}, "average is a decay"),
    ]:
        with pytest.raises(ValueError, match=message):
            Game(small(), blobs, **wrong)
    none = Images("none", blobs.train[:0], blobs.valid, blobs.test, blobs.provenance)
    with pytest.raises(ValueError, match="no training images"):
        Game(small(), none)
    for steps in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="steps must be"):
            Game(small(), blobs, batch=8).play(steps)
