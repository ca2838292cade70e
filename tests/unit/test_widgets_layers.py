import numpy as np
import pytest
import torch
import torch.distributions as td
import traitlets

from vaeutil import flows
from vaeutil.outline import outline
from vaeutil.widgets import FlowLayers


@pytest.fixture
def two():
    torch.manual_seed(0)
    return {
        "Planar": flows.Composition([flows.Scale(2), *flows.planar(2, 3).flows]),
        "Coupling": flows.coupling(2, 2, (5,)),
    }


def test_options_name_every_layer(two):
    shown = FlowLayers(two, {"Coupling": [[[0.0, 1.0], [0.0, 1.0]]]}, z=(1, -1))
    assert shown.options["steps"] == [["scale", "planar", "planar", "planar"], ["coupling"] * 2]
    assert shown.options["outlines"] == [[], [[[0.0, 1.0], [0.0, 1.0]]]]
    assert shown.z == [1.0, -1.0]
    assert shown.weights[:4] == b"VAEN"


def test_the_reader_moves_within_bounds(two):
    shown = FlowLayers(two)
    shown.flow, shown.layer, shown.z = 1, 4, [0.5, -2]
    for name, wrong in [
        ("flow", 2), ("flow", -1), ("layer", 5), ("z", [1.0]), ("z", [0.0, float("nan")]),
    ]:  # fmt: skip
        with pytest.raises(traitlets.TraitError):
            setattr(shown, name, wrong)


def test_the_picture_shows_before_and_after(two):
    grey, alt = FlowLayers(two).picture()
    assert grey.dtype == np.uint8
    assert grey.shape[1] > 1.8 * grey.shape[0] > 300
    assert grey.std() > 5
    assert "the 4 layers of Planar" in alt


def test_bad_input_is_refused(two):
    with pytest.raises(ValueError, match="at least one"):
        FlowLayers({})
    with pytest.raises(ValueError, match="two dimensions"):
        FlowLayers({"three": flows.planar(3, 1)})
    with pytest.raises(ValueError, match="no flow for the outlines"):
        FlowLayers(two, {"Other": []})
    with pytest.raises(ValueError, match="cannot run a reversed Planar"):
        FlowLayers({"back": flows.Reversed(flows.planar(2, 1))})


def test_an_outline_of_a_gaussian_is_its_circle():
    law = td.Independent(td.Normal(torch.zeros(2).double(), torch.ones(2).double()), 1)
    (curve,) = outline(law.log_prob, share=0.9)
    radius = np.hypot(*np.array(curve))
    np.testing.assert_allclose(radius, np.sqrt(-2 * np.log(0.1)), atol=0.06)
    assert len(outline(lambda z: -20 * (z[:, 0].abs() - 2) ** 2 - z[:, 1] ** 2)) == 2
    with pytest.raises(ValueError, match="between 0 and 1"):
        outline(law.log_prob, share=1.0)
