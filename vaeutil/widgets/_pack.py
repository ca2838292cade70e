"""A torch network as a bundle of bytes that a browser can run.

The bundle: the letters "VAE1", the header's length in bytes (little-endian uint32), the header
(JSON: latent, classes, and the layers in order), then the weight and bias of every layer that has
them, as float16: half the download, and less than one grey level of 255 away from float32 for a
trained decoder.

Several networks travel as one bundle, too: the letters "VAEN", the header's length, the header
(JSON: names and sizes), then the bundles one after the other.
"""

import json
import math
import struct
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

SUPPORTED = (
    "Linear, ConvTranspose2d, GELU, ReLU, LeakyReLU, ELU, SiLU, Tanh, Sigmoid, Softplus, "
    "Unflatten, Flatten"
)

PIXELS = 784


def pack(decoder: nn.Module, latent: int, classes: int = 0) -> bytes:
    """The bundle of a decoder followed by a sigmoid: z (and a one-hot class) → pixel means.

    decoder: an nn.Sequential (nested ones are read through) of SUPPORTED layers,
    [n, latent + classes] → [n, 784] pre-activations.
    Raises ValueError for a layer the browser cannot run (the message names it), for a decoder of
    other sizes, and for weights that are not finite numbers in float16.
    """
    _check_sizes("decoder", decoder, latent + classes, PIXELS)
    return _bundle("decoder", decoder, {"latent": latent, "classes": classes}, sigmoid=True)


def pack_network(network: nn.Module, inputs: int, outputs: int, sigmoid: bool = False) -> bytes:
    """The bundle of any network of SUPPORTED layers, [n, inputs] → [n, outputs].

    sigmoid: whether a sigmoid follows it. Raises ValueError as `pack` does.
    """
    _check_sizes("network", network, inputs, outputs)
    return _bundle("network", network, {"latent": inputs, "classes": 0}, sigmoid)


def join(bundles: dict[str, bytes]) -> bytes:
    """Several bundles as one; the browser finds each by its name."""
    sizes = {name: len(bundle) for name, bundle in bundles.items()}
    return b"".join([b"VAEN", *_header(sizes), *bundles.values()])


def _bundle(what: str, network: nn.Module, about: dict, sigmoid: bool) -> bytes:
    layers, numbers = [], []
    shape = (about["latent"] + about["classes"],)
    for name, module in _leaves(network, what):
        layer, tensors, shape = _describe(name, module, shape)
        if layer is not None:
            layers.append(layer)
        numbers += [_halves(name, tensor) for tensor in tensors]
    if sigmoid:
        layers.append({"op": "sigmoid"})
    return b"".join([b"VAE1", *_header(about | {"layers": layers}), *numbers])


def _header(about: dict) -> tuple[bytes, bytes]:
    """The header's length and the header."""
    header = json.dumps(about).encode()
    header += b" " * (len(header) % 2)  # float16 numbers start at an even byte
    return struct.pack("<I", len(header)), header


def _check_sizes(what: str, network: nn.Module, inputs: int, outputs: int) -> None:
    if not isinstance(network, nn.Sequential):
        raise ValueError(
            f"The browser runs an nn.Sequential of {SUPPORTED}; "
            f"the {what} is {type(network).__name__}."
        )
    weight = next(network.parameters(), torch.zeros(()))
    try:
        with torch.no_grad():
            shape = tuple(network(torch.zeros(1, inputs).to(weight)).shape)
    except RuntimeError as error:
        raise ValueError(f"The {what} does not take {inputs} numbers: {error}") from error
    if shape != (1, outputs):
        raise ValueError(
            f"The {what} must give {outputs} numbers, [1, {inputs}] → [1, {outputs}]; "
            f"it gives {list(shape)}."
        )


def _leaves(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(module, nn.Sequential):
        for i, child in enumerate(module):  # named_children would skip a layer that is used twice
            yield from _leaves(child, f"{name}[{i}]")
    else:
        yield name, module


def _describe(name: str, module: nn.Module, shape: tuple[int, ...]):
    """One layer → (its description or None, [weight, bias] or [], the shape that it gives)."""
    if type(module) is nn.Linear:
        sizes = {"inputs": module.in_features, "outputs": module.out_features}
        layer = {"op": "linear", **sizes, "weights": module.weight.numel()}
        return layer, [module.weight, _bias(module, module.out_features)], (module.out_features,)
    if type(module) is nn.ConvTranspose2d:
        return _describe_conv_transpose(name, module, shape)
    if type(module) is nn.Unflatten:
        return None, [], tuple(module.unflattened_size)
    if type(module) is nn.Flatten:
        return None, [], (math.prod(shape),)
    return _describe_activation(name, module), [], shape


def _describe_activation(name: str, module: nn.Module) -> dict:
    match module:
        case nn.GELU(approximate="tanh"):
            return {"op": "gelu_tanh"}
        case nn.GELU():
            return {"op": "gelu"}
        case nn.LeakyReLU(negative_slope=slope):
            return {"op": "leaky_relu", "a": slope}
        case nn.ELU(alpha=alpha):
            return {"op": "elu", "a": alpha}
        case nn.Softplus(beta=beta):
            return {"op": "softplus", "a": beta}
    plain = {nn.ReLU: "relu", nn.SiLU: "silu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}
    if type(module) not in plain:
        raise ValueError(f"The browser cannot run {name}, {module}. It can run: {SUPPORTED}.")
    return {"op": plain[type(module)]}


def _describe_conv_transpose(name: str, module: nn.ConvTranspose2d, shape: tuple[int, ...]):
    numbers = {}
    for key, what in [("kernel", "kernel_size"), ("stride", "stride"), ("padding", "padding")]:
        down, across = getattr(module, what)
        if down != across:
            raise ValueError(f"The browser cannot run {name}, {module}: its {what} is not square.")
        numbers[key] = down
    if module.groups != 1 or module.dilation != (1, 1):
        raise ValueError(f"The browser cannot run {name}, {module}: groups and dilation must be 1.")
    _, height, width = shape
    grown = [
        (side - 1) * numbers["stride"] - 2 * numbers["padding"] + numbers["kernel"] + extra
        for side, extra in zip((height, width), module.output_padding, strict=True)
    ]
    layer = {"op": "conv_transpose", "inputs": module.in_channels, "outputs": module.out_channels}
    layer |= numbers | {"from": [height, width], "to": grown, "weights": module.weight.numel()}
    # [in, out, k, k] → [out · k · k, in]: one matrix that takes a pixel to its patch of the output.
    weight = module.weight.permute(1, 2, 3, 0)
    return layer, [weight, _bias(module, module.out_channels)], (module.out_channels, *grown)


def _bias(module: nn.Module, outputs: int) -> Tensor:
    return torch.zeros(outputs) if module.bias is None else module.bias


def _halves(name: str, tensor: Tensor) -> bytes:
    values = tensor.detach().float().cpu().numpy()
    with np.errstate(over="ignore"):
        halves = values.astype("<f2")
    if not np.isfinite(halves).all():
        raise ValueError(
            f"The weights of {name} are not finite numbers below 65,504 (the largest of float16). "
            "Did the training diverge?"
        )
    return halves.tobytes()
