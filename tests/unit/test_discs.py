import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mutual_info_score

from vaeutil import disentanglement as d
from vaeutil import experiments
from vaeutil.data.discs import LAWS, discs, draw, factors
from vaeutil.experiments import discs as experiment


@pytest.mark.parametrize("law", LAWS)
def test_factors_follow_their_law(law):
    found = factors(law, 20_000, seed=3)
    assert found.shape == (20_000, 3)
    x, y, radius = found.unbind(1)
    assert radius.min() >= 2.5
    assert radius.max() <= 5
    assert radius.mean().item() == pytest.approx(3.75, abs=0.03)
    corner = torch.corrcoef(found.T) - torch.eye(3)
    assert corner.abs().max() < 0.03
    if law == "square":
        assert found[:, :2].min() >= 8
        assert found[:, :2].max() <= 20
        assert x.std().item() == pytest.approx(12 / math.sqrt(12), rel=0.02)
    else:
        place = found[:, :2] - 14
        assert place.norm(dim=1).max() < 9
        for angle in (0.0, 0.5, 1.0):  # the same after a turn
            along = place @ torch.tensor([math.cos(angle), math.sin(angle)])
            assert along.std().item() == pytest.approx(2.9, abs=0.06)
            assert (along**4).mean().item() == pytest.approx((y - 14).pow(4).mean().item(), rel=0.1)
    assert torch.equal(found, factors(law, 20_000, seed=3))
    assert not torch.equal(found, factors(law, 20_000, seed=4))


def test_no_other_law():
    with pytest.raises(ValueError, match="choose one of square, round"):
        factors("cross", 3, seed=0)


def test_a_disc_is_where_its_factors_say():
    truth = torch.tensor([[8.0, 14.0, 3.0], [20.0, 10.5, 5.0]])
    for picture, (x, y, radius) in zip(draw(truth).float() / 255, truth.tolist(), strict=True):
        area = picture.sum().item()
        assert area == pytest.approx(math.pi * radius**2, rel=0.02)
        at = torch.arange(28) + 0.5
        assert ((picture.sum(0) * at).sum() / area).item() == pytest.approx(x, abs=0.05)
        assert ((picture.sum(1) * at).sum() / area).item() == pytest.approx(y, abs=0.05)


def test_the_set_holds_both_laws():
    images = discs(30, 10, 20)
    assert [len(part) for part in (images.train, images.valid, images.test)] == [60, 20, 40]
    for label, law in enumerate(LAWS):
        mine = images.test.subset(images.test.labels == label)
        assert torch.equal(mine.pixels, draw(factors(law, 20, seed=2)))
    assert images.checksum == discs(30, 10, 20).checksum


def test_information_against_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(2_000, 2, generator=generator)
    z = torch.cat([truth[:, :1] + torch.randn(2_000, 1, generator=generator), truth], dim=1)
    table = d.information(z, truth)
    assert table.shape == (2, 3)
    cut = [np.argsort(np.argsort(c)) * 20 // 2_000 for c in torch.cat([z, truth], 1).T.numpy()]
    expected = [[mutual_info_score(cut[3 + i], cut[j]) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(table, expected, atol=1e-9)
    assert table[0, 1].item() == pytest.approx(math.log(20))
    assert table[0, 2].item() < 0.15


def test_gaps_by_hand():
    table = torch.tensor([[2.0, 0.5, 1.0], [0.1, 0.1, 0.1]], dtype=torch.float64)
    assert d.gaps(table).tolist() == pytest.approx([1.0 / math.log(20), 0.0])


def test_turned_codes_lose_the_gap_and_keep_the_place():
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(5_000, 2, generator=generator)
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2)
    straight, turned = (d.gaps(d.information(z, place)).mean() for z in (place, place @ turn))
    assert straight > 0.9
    assert turned < 0.05
    assert d.explained(place @ turn, place) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("degrees", [-80.0, -30.0, 0.0, 45.0, 89.0])
def test_direction(degrees):
    place = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(0))
    angle = math.radians(degrees)
    z = place @ torch.tensor([math.cos(angle), math.sin(angle)]) + 3
    assert d.direction(z, place) == pytest.approx(degrees, abs=0.01)
    assert d.direction(-z, place) == pytest.approx(degrees, abs=0.01)


def test_explained_against_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(500, 4, generator=generator)
    target = z[:, :2] + torch.randn(500, 2, generator=generator)
    fitted = LinearRegression().fit(z, target).predict(z)
    rest = ((target.numpy() - fitted) ** 2).sum()
    expected = 1 - rest / ((target - target.mean(0)) ** 2).sum().item()
    assert d.explained(z, target) == pytest.approx(expected, abs=1e-5)


def test_bad_input():
    z = torch.randn(1_000, 3)
    with pytest.raises(ValueError, match="1000 codes and 999 factors"):
        d.information(z, z[1:])
    with pytest.raises(ValueError, match="at least 400"):
        d.information(z[:399], z[:399])
    with pytest.raises(ValueError, match="at least two latent numbers"):
        d.gaps(torch.zeros(3, 1))


def test_the_experiment_runs_on_its_own_images(monkeypatch, tmp_path):
    monkeypatch.setenv("VAEUTIL_PROFILE", "smoke")
    monkeypatch.setattr("vaeutil.experiments.runner.load_images", None)  # nothing is fetched
    monkeypatch.setattr(experiment, "RUNS", experiment.RUNS[:1] + experiment.RUNS[2:4])
    path = experiments.reproduce("discs", work=tmp_path)
    found = experiments.runner.parts.read_json(path)
    assert found["data"]["name"] == "discs"
    for run in found["runs"]:
        values = run["figures"]
        assert values["rate"] + values["distortion"] == pytest.approx(values["negative_elbo"])
        assert -45 <= values["angle"] < 45
        assert all(math.isfinite(value) for value in values.values())
    assert "not run yet" in experiments.describe("discs") or "run until" in experiments.describe(
        "discs"
    )
