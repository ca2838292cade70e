"""The experiment that trains by an average over draws from the prior."""

import math

import pytest
import torch

from vaeutil.experiments import naive
from vaeutil.experiments.naive import PriorAverage
from vaeutil.models import VAE


def test_the_average_is_that_of_torchs_own_bernoulli():
    torch.manual_seed(0)
    model = PriorAverage(3, draws=40, hidden=(8,))
    x = (torch.rand(5, 784) < 0.3).float()
    torch.manual_seed(1)
    found = model.log_average(x, 40, piece=7)
    torch.manual_seed(1)
    z = model.prior.sample((40,))
    law = torch.distributions.Bernoulli(logits=model.decoder(z).double())
    expected = law.log_prob(x[:, None].double()).sum(-1).logsumexp(1) - math.log(40)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-3)
    torch.manual_seed(1)
    assert model.loss(x)["loss"].item() == pytest.approx(-expected.mean().item(), rel=1e-5)


@pytest.mark.parametrize("draws", [0, -1, 2.5, True])
def test_draws_must_count(draws):
    with pytest.raises(ValueError, match="whole number from 1"):
        PriorAverage(2, draws)


@pytest.mark.parametrize("objective", ["average", "elbo"])
def test_a_run_measures_both_on_one_ruler(blobs, tmp_path, objective):
    config = {**naive.CONFIG, **naive.SMOKE, "model": {"hidden": [8]}}
    checkpoint = tmp_path / "none"
    outcome = naive.run(blobs, config, checkpoint, latent=2, objective=objective, seed=0)
    assert isinstance(outcome.model, VAE)
    figures = outcome.figures
    assert set(outcome.errors) == {"negative_elbo", "nll"}
    assert figures["nll"] <= figures["negative_elbo"] + 1
    same = "average_many" if objective == "average" else "negative_elbo"
    assert figures["objective"] == pytest.approx(figures[same], rel=0.1)
    again = naive.run(blobs, config, checkpoint, latent=2, objective=objective, seed=0).figures
    again["training_seconds"] = figures["training_seconds"]
    assert again == figures
