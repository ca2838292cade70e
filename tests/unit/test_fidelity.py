import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from vaeutil.fidelity import frechet_distance, kid, mmd2, precision_recall


def cloud(n, size=6, shift=0.0, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return shift + scale * torch.randn(n, size, generator=generator, dtype=torch.float64)


def by_sklearn(a, b):
    size = a.shape[1]
    aa, bb, ab = (
        polynomial_kernel(x, y, degree=3, gamma=1 / size, coef0=1)
        for x, y in ((a, a), (b, b), (a, b))
    )
    off = [k[~np.eye(len(k), dtype=bool)].mean() for k in (aa, bb)]
    return sum(off) - 2 * ab.mean()


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 8), st.integers(0, 99))
def test_mmd_against_sklearn(n, m, size, seed):
    """Bug museum 3 and 4: no second division, no diagonal."""
    a, b = cloud(n, size, seed=seed), cloud(m, size, shift=0.3, seed=seed + 1)
    assert mmd2(a, b) == pytest.approx(by_sklearn(a.numpy(), b.numpy()), abs=1e-9)


def test_kid_is_the_mean_over_disjoint_blocks():
    a, b = cloud(230), cloud(250, shift=0.2, seed=1)
    want = [mmd2(a[i : i + 50], b[i : i + 50]) for i in (0, 50, 100, 150)]
    got = kid(a, b, block=50)
    assert got.values.tolist() == pytest.approx(want)
    assert got.mean == pytest.approx(np.mean(want))
    assert got.stderr == pytest.approx(np.std(want, ddof=1) / 2)
    assert str(got) == f"{got.mean:.4f} ± {got.stderr:.4f}"


def test_kid_of_one_law_is_zero_within_its_error_for_any_block():
    a, b = cloud(8_000), cloud(8_000, seed=1)
    for block in (20, 100, 1_000):
        got = kid(a, b, block=block)
        assert abs(got.mean) < 4 * got.stderr
    assert kid(a, cloud(8_000, shift=0.2, seed=1)).mean > 10 * kid(a, b).stderr


@given(st.integers(1, 6), st.floats(-2, 2), st.floats(0.1, 3), st.integers(0, 99))
def test_frechet_against_scipy(size, shift, scale, seed):
    a, b = cloud(60, size, seed=seed), cloud(70, size, shift, scale, seed + 1)
    cov1, cov2 = (np.atleast_2d(np.cov(x.numpy().T)) for x in (a, b))
    root = scipy.linalg.sqrtm(cov1 @ cov2).real
    want = (a.mean(0) - b.mean(0)).square().sum().item() + np.trace(cov1 + cov2 - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(want, rel=1e-6, abs=1e-6)


def test_frechet_survives_a_feature_that_is_always_zero():
    a = cloud(100)
    a[:, 2] = 0
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 0.5) == pytest.approx(6 * 0.25)


def test_frechet_falls_with_the_number_of_images():
    """It is biased: two sets of one law are not at zero, and the smaller the further."""
    few, many = (frechet_distance(cloud(n), cloud(n, seed=1)) for n in (50, 5_000))
    assert few > 10 * many > 0


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_against_sklearn(k):
    real, fake = cloud(150, 3), cloud(120, 3, shift=0.8, scale=0.6, seed=1)

    def share(points, region):
        radii = NearestNeighbors(n_neighbors=k + 1).fit(region).kneighbors(region)[0][:, -1]
        distances = np.linalg.norm(points[:, None] - region[None], axis=-1)
        return (distances <= radii).any(1).mean()

    got = precision_recall(real, fake, k)
    assert got.precision == pytest.approx(share(fake.numpy(), real.numpy()))
    assert got.recall == pytest.approx(share(real.numpy(), fake.numpy()))
    assert 0 < got.recall < got.precision < 1


def test_precision_and_recall_tell_blur_from_dropping():
    real = cloud(600, 2)
    dropped = real[real[:, 0] > 0][:250]  # all good, half of the law missing
    assert precision_recall(real, dropped).precision == 1
    assert precision_recall(real, dropped).recall < 0.75
    far = torch.cat([real[:300], real[:300] + 50])  # half of it is nonsense
    found = precision_recall(real, far)
    assert found.precision == pytest.approx(0.5, abs=0.01)


def test_bad_input():
    good = cloud(10)
    for function in (mmd2, frechet_distance, precision_recall):
        with pytest.raises(ValueError, match="one shape"):
            function(good, cloud(10, 5))
        with pytest.raises(ValueError, match="at least"):
            function(good, good[:1])
        with pytest.raises(ValueError, match="not finite"):
            function(good, good * torch.nan)
    with pytest.raises(ValueError, match="at least 1000 images; one has 10"):
        kid(good, good)
    for k in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="counts neighbours"):
            precision_recall(good, good, k)
