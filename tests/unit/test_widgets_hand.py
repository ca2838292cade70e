"""OneHand and CompleteDigit in Python: traits, errors, pictures."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from vaeutil.models import CVAE, VAE, CompletionNet, CompletionVAE
from vaeutil.widgets import CompleteDigit, OneHand

X = (torch.rand(4, 784, generator=torch.Generator().manual_seed(1)) < 0.3).float()
Y = torch.tensor([3, 1, 4, 1])


def cvae(**kw):
    torch.manual_seed(0)
    return CVAE(3, hidden=(8,), **kw).eval()


def completions():
    torch.manual_seed(0)
    return CompletionNet(1, (8,)).eval(), CompletionVAE(1, 2, (8,)).eval()


def test_a_hand_starts_with_the_first_image():
    model = cvae()
    one = OneHand(model, X, Y)
    with torch.no_grad():
        codes = model.encode(X, Y)
    assert one.z == pytest.approx(codes[0].tolist(), abs=0.006)
    assert (one.y, one.hand) == (3, 0)
    one.set_state({"z": [0.0, 1.0, -1.0], "y": 9, "hand": 2})
    with torch.no_grad():
        want = model.decode(torch.tensor([[0.0, 1.0, -1.0]]), torch.tensor([9]))
    np.testing.assert_allclose(one.means(one.z)[9], want[0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("y", 10), ("y", -1), ("hand", 4), ("z", [0.0]), ("z", [0.0, 1.0, float("nan")])],
)
def test_what_is_out_of_range_is_refused(name, value):
    one = OneHand(cvae(), X, Y)
    with pytest.raises(TraitError, match=r"must be from 0|finite numbers"):
        setattr(one, name, value)


def test_a_hand_needs_a_conditional_model_and_labelled_images():
    with pytest.raises(ValueError, match="VAE takes no class"):
        OneHand(VAE(3, hidden=(8,)), X, Y)
    for x, y in ((X[:0], Y[:0]), (X, Y[:2]), (X[0], Y)):
        with pytest.raises(ValueError, match="each with its label"):
            OneHand(cvae(), x, y)


def test_the_picture_of_a_hand():
    one = OneHand(cvae(), X, Y)
    grey, alt = one.picture()
    assert grey.shape == (4 * 28, 11 * 28)
    np.testing.assert_array_equal(grey[:28, :28], 255 * X[0].reshape(28, 28))
    np.testing.assert_array_equal(
        grey[28:56, 28:56], np.rint(255 * one.means(one.codes[1])[0]).reshape(28, 28)
    )
    assert "same hand" in alt


def test_completions_hold_the_cost_of_the_truth():
    network, model = completions()
    one = CompleteDigit(network, model, X, k=200)
    with torch.no_grad():
        exact = -network.log_weights(X, 1)[0]
        loose = -model.log_weights(X, 300).mean(0)
    assert one.options["costs"][0] == pytest.approx(exact.tolist(), abs=0.01)
    assert all(a < b + 1 for a, b in zip(one.options["costs"][1], loose.tolist(), strict=True))
    one.image = -1
    one.image = 3
    for bad in (4, -2):
        with pytest.raises(TraitError, match="image goes from −1 to 3"):
            one.image = bad


def test_completions_leave_the_callers_random_numbers_alone():
    network, model = completions()
    torch.manual_seed(5)
    want = torch.rand(3)
    torch.manual_seed(5)
    CompleteDigit(network, model, X, k=5).picture()
    assert torch.equal(torch.rand(3), want)


def test_completions_refuse_what_does_not_fit():
    network, model = completions()
    for bad in ((model, network), (network, VAE(2, hidden=(8,)))):
        with pytest.raises(ValueError, match="takes a CompletionNet"):
            CompleteDigit(*bad, X)
    with pytest.raises(ValueError, match="same quadrants"):
        CompleteDigit(CompletionNet(2, (8,)), model, X)
    for x in (0.5 * X, X[:0], X[0], X.repeat(6, 1)):
        with pytest.raises(ValueError, match="images of pixels 0 or 1"):
            CompleteDigit(network, model, x)


def test_the_picture_of_completions():
    network, model = completions()
    grey, alt = CompleteDigit(network, model, X, k=5).picture()
    assert grey.shape == (4 * 28, 6 * 28)
    np.testing.assert_array_equal(grey[:28, -28:], 255 * X[0].reshape(28, 28))
    np.testing.assert_array_equal(grey[14:28, 28:42], 255 * X[0].reshape(28, 28)[14:, :14])
    assert "conditional VAE" in alt
