"""A flow as a bundle of bytes that a browser can run forward (static/flow.js).

The bundle: the letters "VAEF", the header's length in bytes (little-endian uint32), the header
(JSON: dim and the layers in order, small numbers in full), then the bundle of each layer's network,
as `_pack` writes it. `join` takes it beside other bundles; in the browser `networksOf` then gives a
flow under its name.
"""

import torch
from torch import Tensor, nn

from vaeutil.flows import (
    AffineCoupling,
    Autoregressive,
    Composition,
    Flow,
    Permutation,
    Planar,
    Scale,
)
from vaeutil.flows import Reversed as Backwards
from vaeutil.flows.layers import LIMIT
from vaeutil.widgets._pack import _header, pack_network

RUNS = "Scale, Planar, AffineCoupling, Autoregressive, Permutation, Reversed, Composition"


def pack_flow(flow: Flow) -> bytes:
    """The bundle of a flow without context; the browser runs its forward direction, layer by layer.

    Reversed couplings, permutations and autoregressive layers run as well (the last in `dim`
    passes). The networks' weights become float16, a planar layer's numbers stay as they are.
    Raises ValueError for a flow with a context, a reversed planar layer (it has no inverse in
    closed form), another kind of flow, or weights that are not finite numbers in float16.
    """
    if not isinstance(flow, Flow):
        raise ValueError(f"pack_flow takes a flow of vaeutil.flows, not {type(flow).__name__}.")
    if flow.context:
        raise ValueError("The browser runs flows without a context; this one takes a context.")
    layers, networks = [], []
    for layer, backwards in _leaves(flow, False):
        about, network = _describe(layer, backwards)
        if network is not None:
            networks.append(pack_network(network, *_ends(network)))
            about["bytes"] = len(networks[-1])
        layers.append(about)
    about = {"dim": flow.dim, "limit": LIMIT, "layers": layers}
    return b"".join([b"VAEF", *_header(about), *networks])


def _leaves(flow: Flow, backwards: bool):
    """(layer, whether it runs backwards), in the order in which the browser runs them."""
    if isinstance(flow, Composition):
        for part in reversed(flow.flows) if backwards else flow.flows:
            yield from _leaves(part, backwards)
    elif isinstance(flow, Backwards):
        yield from _leaves(flow.flow, not backwards)
    else:
        yield flow, backwards


def _describe(layer: Flow, backwards: bool) -> tuple[dict, nn.Sequential | None]:
    """What the browser needs to know of one layer, and its network."""
    if type(layer) is Planar and not backwards:
        with torch.no_grad():
            u, w, b = layer.uwb(None)
        return {"op": "planar", "u": _finite(u), "w": _finite(w), "b": _finite(b)}, None
    if type(layer) is Permutation:
        order = layer.order.argsort() if backwards else layer.order
        return {"op": "permutation", "order": order.tolist()}, None
    if type(layer) is Scale:
        numbers = {"scale": _finite(layer.log_scale), "shift": _finite(layer.shift)}
        return {"op": "scale", **numbers, "backwards": backwards}, None
    if type(layer) is AffineCoupling:
        first = layer.sizes[0]
        stays = [first, layer.dim] if layer.flip else [0, first]
        return {"op": "coupling", "stays": stays, "backwards": backwards}, layer.net
    if type(layer) is Autoregressive:
        return {"op": "autoregressive", "backwards": backwards}, _unmasked(layer)
    name = f"a reversed {type(layer).__name__}" if backwards else type(layer).__name__
    raise ValueError(f"The browser cannot run {name}. It runs: {RUNS}.")


def _unmasked(layer: Autoregressive) -> nn.Sequential:
    """The same network with the masks multiplied in."""
    parts: list[nn.Module] = []
    for masked in layer.layers:
        linear = nn.Linear(masked.linear.in_features, masked.linear.out_features)
        linear.weight.data = (masked.linear.weight * masked.mask).detach().clone()
        linear.bias.data = masked.linear.bias.detach().clone()
        parts += [linear, nn.GELU()]
    return nn.Sequential(*parts[:-1])


def _ends(network: nn.Sequential) -> tuple[int, int]:
    return network[0].in_features, network[-1].out_features


def _finite(values: Tensor) -> list | float:
    if not values.isfinite().all():
        raise ValueError("A layer's numbers are not finite. Did the training diverge?")
    return values.detach().double().tolist()


def steps(flow: Flow) -> list[str]:
    """The names of the layers that the browser runs, in order: "planar", "coupling" …"""
    return [_describe(layer, backwards)[0]["op"] for layer, backwards in _leaves(flow, False)]
