"""CausalVAE and FullVAE: the decoder whose pixels see each other, the guess with a covariance."""

import pytest
import torch
import torch.distributions as td

from vaeutil.data import observe
from vaeutil.divergences import gaussian_kl_full
from vaeutil.models import VAE, CausalVAE, FullVAE, load, save
from vaeutil.models.causal import SEEN, CausalBernoulli, before
from vaeutil.models.full import full_kl
from vaeutil.training import fit


@pytest.fixture
def causal():
    torch.manual_seed(0)
    model = CausalVAE(3, hidden=(8,)).eval().double()
    model.weights.data = 0.5 * torch.randn(SEEN, 784, dtype=torch.float64)
    return model


def bits(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(n, 784, generator=generator) < 0.4).double()


def test_the_neighbours_of_a_pixel_are_the_24_before_it():
    x = torch.arange(784.0)[None] + 1
    seen = before(x)
    assert seen.shape == (1, SEEN, 784)
    r, c = 10, 12
    want = [28 * i + j + 1 for i in (7, 8, 9) for j in range(9, 16)] + [
        28 * r + j + 1 for j in (9, 10, 11)
    ]
    assert seen[0, :, 28 * r + c].tolist() == want
    assert seen[0, :, 0].tolist() == [0.0] * SEEN
    assert (seen[0] < x + 0.5).all()  # none comes after its pixel, or is the pixel itself
    assert (seen[0] != x).all()


def test_log_prob_is_the_chain_rule_of_torch_bernoullis(causal):
    x, z = bits(4), torch.randn(2, 4, 3, dtype=torch.float64)
    law = causal.likelihood(z)
    logits = causal.decoder(z)
    total = torch.zeros(2, 4, dtype=torch.float64)
    image = torch.zeros(4, 31, 34, dtype=torch.float64)
    image[:, 3:, 3:31] = x.view(4, 28, 28)
    for i in range(784):
        r, c = divmod(i, 28)
        window = image[:, r : r + 4, c : c + 7].flatten(1)[:, :SEEN]
        a = logits[..., i].float() + window @ causal.weights[:, i]
        total += td.Bernoulli(logits=a).log_prob(x[:, i])
    torch.testing.assert_close(law.log_prob(x), total, rtol=1e-5, atol=1e-3)


def test_a_pixel_depends_on_no_later_one(causal):
    x = bits(1).requires_grad_()
    seen = (before(x) * causal.weights).sum(-2)[0]
    for i in (0, 100, 400, 783):
        (slope,) = torch.autograd.grad(seen[i], x, retain_graph=True)
        assert (slope[0, i:] == 0).all()


def test_the_draws_have_the_law_that_log_prob_says():
    torch.manual_seed(0)
    weights = torch.zeros(SEEN, 784)
    weights[-1] = 2.0  # the pixel to the left
    x = CausalBernoulli(torch.full((4_000, 784), -1.0), weights).sample()
    assert set(x.unique().tolist()) == {0.0, 1.0}
    first, second = x[:, 5 * 28], x[:, 5 * 28 + 1]
    for left, logit in ((0.0, -1.0), (1.0, 1.0)):
        some = second[first == left]
        want = torch.tensor(logit).sigmoid()
        assert abs(some.mean() - want) < 4 * (want * (1 - want) / len(some)) ** 0.5


def test_without_neighbours_it_is_the_vae():
    torch.manual_seed(0)
    causal, plain = CausalVAE(3, hidden=(8,)), VAE(3, hidden=(8,))
    plain.load_state_dict({k: v for k, v in causal.state_dict().items() if k != "weights"})
    x, z = bits(5).float(), torch.randn(5, 3)
    torch.testing.assert_close(
        causal.likelihood(z).log_prob(x), plain.likelihood(z).log_prob(x), rtol=1e-5, atol=1e-3
    )
    assert causal.sample(3).shape == (3, 784)
    with pytest.raises(TypeError, match="no mean in closed form"):
        causal.decode(z)


@pytest.mark.parametrize("cls", [CausalVAE, FullVAE])
def test_it_trains_and_comes_back_from_its_file(cls, blobs, tmp_path):
    torch.manual_seed(0)
    model = cls(3, hidden=(8,))
    start = {name: t.clone() for name, t in model.named_parameters()}
    fit(model, blobs, steps=3, batch=32, progress=False, device="cpu")
    assert all((t != start[name]).any() for name, t in model.named_parameters())
    save(model, tmp_path / "a.safetensors")
    again = load(tmp_path / "a.safetensors")
    assert type(again) is cls
    x = observe(blobs.test.pixels[:4], "binary")
    torch.manual_seed(1)
    first = model.log_weights(x, 2)
    torch.manual_seed(1)
    torch.testing.assert_close(again.log_weights(x, 2), first)


def test_the_full_posterior_is_torchs_and_so_is_its_kl():
    torch.manual_seed(0)
    model = FullVAE(4, hidden=(8,), likelihood="gaussian", sigma=0.2).eval()
    x = torch.rand(6, 784)
    q = model.posterior(x)
    assert (q.covariance_matrix - torch.diag_embed(q.variance)).abs().max() > 0.01
    want = gaussian_kl_full(
        q.mean, q.covariance_matrix, torch.zeros(6, 4), torch.eye(4).expand(6, 4, 4)
    )
    torch.testing.assert_close(full_kl(q), want, rtol=1e-4, atol=1e-4)
    prior = td.MultivariateNormal(torch.zeros(4), torch.eye(4))
    torch.testing.assert_close(full_kl(q), td.kl_divergence(q, prior), rtol=1e-4, atol=1e-4)
    torch.manual_seed(1)
    terms = model.loss(x)
    torch.manual_seed(1)
    expected = -model.likelihood(q.rsample()).log_prob(x).mean()
    torch.testing.assert_close(terms["reconstruction"], expected)
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + terms["kl"])
