"""The decoder that the browser runs: the bundle, its errors, and its numbers against torch's."""

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from vaeutil.nets import conv_decoder, mlp_decoder
from vaeutil.widgets._base import library
from vaeutil.widgets._pack import join, pack, pack_network

ACTIVATIONS = [
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.ReLU(),
    nn.LeakyReLU(0.2),
    nn.ELU(0.7),
    nn.SiLU(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.Softplus(),
    nn.Softplus(beta=3.0),
]


def read(bundle: bytes) -> tuple[dict, np.ndarray]:
    length = struct.unpack("<I", bundle[4:8])[0]
    return json.loads(bundle[8 : 8 + length]), np.frombuffer(bundle[8 + length :], "<f2")


def spread(decoder: nn.Module, seed: int = 0) -> nn.Module:
    """Weights large enough that the pixels are not all near one half."""
    generator = torch.Generator().manual_seed(seed)
    for weight in decoder.parameters():
        fan_in = weight[0].numel() if weight.ndim > 1 else 4
        weight.data = torch.randn(weight.shape, generator=generator) * 2 / fan_in**0.5
    return decoder


def in_javascript(bundle: bytes, codes: list, labels: list, tmp_path) -> np.ndarray:
    """What the browser's decoder gives, run by node: [n, 784] in [0, 1]."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; tests/browser runs the same numbers in Chromium")
    (tmp_path / "bundle").write_bytes(bundle)
    script = f"""{library()}
    const decoder = new Network(require("fs").readFileSync({json.dumps(str(tmp_path / "bundle"))}));
    const [codes, labels] = {json.dumps([codes, labels])};
    const images = codes.map((z, i) => Array.from(decoder.decode(z, labels[i])));
    console.log(JSON.stringify(images));
    """
    (tmp_path / "run.cjs").write_text(script, encoding="utf-8")
    done = subprocess.run([node, tmp_path / "run.cjs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout))


def test_bundle_holds_every_weight_in_float16():
    decoder = mlp_decoder(3, hidden=(7, 5))
    header, numbers = read(pack(decoder, 3))
    assert header["latent"] == 3
    assert header["classes"] == 0
    assert [layer["op"] for layer in header["layers"]] == [
        "linear", "gelu", "linear", "gelu", "linear", "sigmoid",
    ]  # fmt: skip
    expected = torch.cat([parameter.detach().flatten() for parameter in decoder.parameters()])
    np.testing.assert_array_equal(numbers, expected.numpy().astype("<f2"))


def test_numbers_start_at_an_even_byte():
    for latent in (1, 10, 100):  # headers of different lengths
        bundle = pack(mlp_decoder(latent, hidden=(4,)), latent)
        assert struct.unpack("<I", bundle[4:8])[0] % 2 == 0


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_javascript_agrees_with_torch_on_each_activation(activation, tmp_path):
    layers = [nn.Linear(4, 32), activation, nn.Linear(32, 33, bias=False), activation]
    decoder = spread(nn.Sequential(*layers, nn.Sequential(nn.Linear(33, 784))))
    compare(decoder, tmp_path, latent=4)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.ConvTranspose2d(6, 1, 4, stride=2, padding=1),
        nn.ConvTranspose2d(6, 1, 3, stride=2, padding=1, output_padding=1),
        nn.ConvTranspose2d(6, 1, 2, stride=2, bias=False),
    ],
    ids=str,
)
def test_javascript_agrees_with_torch_on_transposed_convolutions(convolution, tmp_path):
    layers = [nn.Linear(2, 6 * 14 * 14), nn.Unflatten(-1, (6, 14, 14)), convolution, nn.Flatten()]
    compare(spread(nn.Sequential(*layers)), tmp_path, latent=2)


def test_javascript_agrees_with_torch_on_the_books_convolutional_decoder(tmp_path):
    compare(spread(conv_decoder(3, width=4)), tmp_path, latent=3)


def test_the_class_enters_as_one_hot_after_z(tmp_path):
    decoder = spread(nn.Sequential(nn.Linear(2 + 10, 30), nn.GELU(), nn.Linear(30, 784)))
    codes, labels = [[0.5, -1.0], [0.5, -1.0], [0.0, 2.0]], [0, 7, 9]
    z = torch.cat([torch.tensor(codes), nn.functional.one_hot(torch.tensor(labels), 10)], 1)
    assert_within_two_levels(
        in_javascript(pack(decoder, 2, classes=10), codes, labels, tmp_path), decoder(z)
    )


def compare(decoder, tmp_path, latent):
    codes = torch.randn(6, latent, generator=torch.Generator().manual_seed(1))
    codes[0] = 0
    images = in_javascript(pack(decoder, latent), codes.tolist(), [0] * 6, tmp_path)
    assert_within_two_levels(images, decoder(codes))


def assert_within_two_levels(images, preactivations):
    expected = preactivations.detach().sigmoid().numpy()
    assert expected.std() > 0.1, "the test's decoder gives a flat image, which proves nothing"
    assert np.abs(255 * images - 255 * expected).max() < 2


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (nn.Sequential(nn.Linear(2, 784), nn.LayerNorm(784)), r"decoder\[1\], LayerNorm.*Linear"),
        (nn.Sequential(nn.Sequential(nn.Linear(2, 784), nn.PReLU())), r"decoder\[0\]\[1\], PReLU"),
        (nn.Sequential(nn.Linear(2, 783)), r"784 numbers.*\[1, 783\]"),
        (nn.Sequential(nn.Linear(3, 784)), "does not take 2 numbers"),
        (nn.Linear(2, 784), "Sequential"),
        (
            nn.Sequential(
                nn.Linear(2, 196 * 2),
                nn.Unflatten(-1, (2, 14, 14)),
                nn.ConvTranspose2d(2, 2, 2, stride=2, groups=2),
                nn.Conv2d(2, 1, 1),
                nn.Flatten(),
            ),
            "groups",
        ),
        (
            nn.Sequential(
                nn.Linear(2, 28 * 14),
                nn.Unflatten(-1, (1, 28, 14)),
                nn.ConvTranspose2d(1, 1, (1, 2), stride=(1, 2)),
                nn.Flatten(),
            ),
            "not square",
        ),
    ],
)
def test_what_the_browser_cannot_run_is_named(decoder, message):
    with pytest.raises(ValueError, match=message):
        pack(decoder, 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e5])
def test_weights_that_float16_cannot_hold_are_refused(bad):
    decoder = mlp_decoder(2, hidden=(4,))
    decoder[2].weight.data[0, 0] = bad
    with pytest.raises(ValueError, match=r"decoder\[2\].*finite"):
        pack(decoder, 2)


def test_several_networks_travel_under_their_names():
    one, two = pack_network(nn.Sequential(nn.Linear(3, 2)), 3, 2), pack(mlp_decoder(2, (4,)), 2)
    both = join({"encoder": one, "decoder": two})
    sizes, _ = read(both)
    assert both[:4] == b"VAEN"
    assert sizes == {"encoder": len(one), "decoder": len(two)}
    assert both.endswith(one + two)
    assert both.index(one) % 2 == 0


def test_a_network_without_a_sigmoid_has_none():
    network = nn.Sequential(nn.Linear(3, 2), nn.GELU())
    plain, squashed = (read(pack_network(network, 3, 2, s))[0]["layers"] for s in (False, True))
    assert [layer["op"] for layer in plain] == ["linear", "gelu"]
    assert [layer["op"] for layer in squashed] == ["linear", "gelu", "sigmoid"]
    with pytest.raises(ValueError, match=r"2 numbers.*\[1, 3\]"):
        pack_network(nn.Sequential(nn.Linear(3, 3)), 3, 2)
