import pytest
import torch
from torch import nn

from vaeutil import nets


@pytest.mark.parametrize("make", [nets.mlp_encoder, nets.conv_encoder])
def test_encoders_map_images_to_outputs(make):
    assert make(6)(torch.rand(3, 784)).shape == (3, 6)


@pytest.mark.parametrize("make", [nets.mlp_decoder, nets.conv_decoder])
def test_decoders_map_codes_to_preactivations(make):
    out = make(6)(torch.randn(200, 6))
    assert out.shape == (200, 784)
    assert (out < 0).any()  # no sigmoid in here


def test_mlp_ends_in_a_linear_layer():
    layers = nets.mlp([3, 5, 2])
    assert [type(layer) for layer in layers] == [nn.Linear, nn.GELU, nn.Linear]


def test_conv_nets_see_neighbouring_pixels_as_neighbours():
    """One pixel of the middle reaches only its surroundings through the first convolution."""
    first = nets.conv_encoder(2)[:2]
    with torch.no_grad():
        blank = first(torch.zeros(1, 784))
        lit = first(torch.zeros(1, 784).index_fill(1, torch.tensor(14 * 28 + 14), 1.0))
    rows, columns = (lit - blank).abs().sum((0, 1)).nonzero().T
    assert rows.min() >= 6
    assert rows.max() <= 8
    assert columns.min() >= 6
    assert columns.max() <= 8


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_sizes_are_positive_whole_numbers(size):
    with pytest.raises(ValueError, match="positive whole number"):
        nets.mlp_decoder(size)
    with pytest.raises(ValueError, match="positive whole number"):
        nets.conv_decoder(4, size)
