"""Flows in the browser: the JavaScript against torch, its log|det| against autograd, bad input."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from vaeutil import flows
from vaeutil.seeding import seeded
from vaeutil.widgets._base import library
from vaeutil.widgets._pack import join, pack_network
from vaeutil.widgets._pack_flow import pack_flow


def rounded(flow: flows.Flow, seed: int, spread: float = 0.6) -> flows.Flow:
    """Far from the identity; the numbers as float16 holds them, in float64."""
    with seeded(seed):
        for parameter in flow.parameters():
            nn.init.normal_(parameter, std=spread)
    return flow.half().double()


MAKERS = {
    "planar": lambda: flows.planar(3, 4),
    "coupling": lambda: flows.coupling(5, 4, (12, 9)),
    "autoregressive": lambda: flows.autoregressive(4, 3, (11, 10)),
    "without a hidden layer": lambda: flows.autoregressive(3, 2, ()),
    "reversed": lambda: flows.Reversed(flows.autoregressive(4, 3, (11,))),
    "reversed coupling": lambda: flows.Reversed(flows.coupling(5, 4, (8,))),
    "nested": lambda: flows.Composition(
        [
            flows.planar(4, 2),
            flows.Permutation([2, 0, 3, 1]),
            flows.Reversed(
                flows.Composition(
                    [flows.coupling(4, 3, (6,)), flows.Reversed(flows.autoregressive(4, 2, (6,)))]
                )
            ),
            flows.Reversed(flows.Permutation([1, 2, 3, 0])),
        ]
    ),
    "one layer": lambda: flows.AffineCoupling(2, (7,), flip=True),
}


def in_javascript(bundle: bytes, expression: str, points: list, tmp_path) -> list:
    """What `expression` of `bytes` and `points` gives, run by node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; tests/browser runs the same numbers in Chromium")
    (tmp_path / "bundle").write_bytes(bundle)
    script = f"""{library()}
    const bytes = require("fs").readFileSync({json.dumps(str(tmp_path / "bundle"))});
    const points = {json.dumps(points)};
    console.log(JSON.stringify({expression}));
    """
    (tmp_path / "run.cjs").write_text(script, encoding="utf-8")
    done = subprocess.run([node, tmp_path / "run.cjs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def draws(dim: int) -> torch.Tensor:
    return 1.5 * torch.randn(9, dim, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("kind", MAKERS)
def test_javascript_agrees_with_torch(kind, tmp_path):
    flow = rounded(MAKERS[kind](), seed=3)
    z = draws(flow.dim)
    with torch.no_grad():
        y, log_det = flow(z)
    found = in_javascript(
        pack_flow(flow), "points.map((z) => flowOf(bytes).forward(z))", z.tolist(), tmp_path
    )
    for (got, got_log_det), expected, expected_log_det in zip(found, y, log_det, strict=True):
        np.testing.assert_allclose(got, expected.numpy(), rtol=2e-5, atol=2e-5)
        assert got_log_det == pytest.approx(expected_log_det.item(), rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("kind", ["planar", "coupling", "nested"])
def test_log_det_in_javascript_is_that_of_the_jacobian(kind, tmp_path):
    flow = rounded(MAKERS[kind](), seed=4)
    z = draws(flow.dim)[:3]
    found = in_javascript(
        pack_flow(flow), "points.map((z) => flowOf(bytes).forward(z)[1])", z.tolist(), tmp_path
    )
    for point, log_det in zip(z, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: flow(v)[0], point)
        expected = torch.linalg.slogdet(jacobian)[1].item()
        assert log_det == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_layers_one_by_one_make_the_flow(tmp_path):
    flow = rounded(flows.coupling(4, 4, (6,)), seed=5)
    z = draws(4)[:1]
    steps = in_javascript(
        pack_flow(flow),
        """(() => {
          let z = points[0];
          return flowOf(bytes).layers.map((layer) => {
            const [y, logDet] = layer.forward(z);
            z = y;
            return [layer.op, y, logDet];
          });
        })()""",
        z.tolist(),
        tmp_path,
    )
    assert [op for op, _, _ in steps] == [
        "coupling", "coupling", "permutation", "coupling", "coupling",
    ]  # fmt: skip
    with torch.no_grad():
        for part, (_, y, log_det) in zip(flow.flows, steps, strict=True):
            z, expected = part(z)
            np.testing.assert_allclose(y, z[0].numpy(), rtol=2e-5, atol=2e-5)
            assert log_det == pytest.approx(expected.item(), abs=2e-5)


def test_a_flow_travels_beside_a_network(tmp_path):
    flow, network = rounded(flows.planar(2, 3), 6), rounded(nn.Sequential(nn.Linear(2, 3)), 7)
    bundle = join({"net": pack_network(network.float(), 2, 3), "flow": pack_flow(flow)})
    z = draws(2)[:1]
    found = in_javascript(
        bundle,
        """(() => {
          const { net, flow } = networksOf(bytes);
          return [Array.from(net.run(points[0])), flow.forward(points[0]), flow.dim];
        })()""",
        z.tolist(),
        tmp_path,
    )
    with torch.no_grad():
        np.testing.assert_allclose(found[0], network(z.float())[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found[1][0], flow(z)[0][0], rtol=1e-5, atol=1e-5)
    assert found[2] == 2


def test_the_wrong_number_of_coordinates_is_an_error_in_the_browser(tmp_path):
    expression = """(() => {
      try { flowOf(bytes).forward(points[0]); } catch (error) { return error.message; }
    })()"""
    told = in_javascript(pack_flow(flows.planar(3, 1)), expression, [[0.0, 1.0]], tmp_path)
    assert told == "the flow maps 3 numbers, not 2"


class Strange(flows.Flow):
    pass


def test_what_the_browser_cannot_run_is_refused_when_packing():
    too_large = flows.coupling(2, 1, (3,))
    nn.init.constant_(too_large.flows[0].net[0].weight, 1e6)
    broken = flows.planar(2, 1)
    nn.init.constant_(broken.flows[0].numbers, torch.nan)
    for flow, words in [
        (flows.planar(2, 2, 3), "without a context"),
        (flows.Reversed(flows.planar(2, 2)), "cannot run a reversed Planar"),
        (Strange(2), "cannot run Strange"),
        (nn.Linear(2, 2), "not Linear"),
        (too_large, "not finite numbers below"),
        (broken, "not finite"),
    ]:
        with pytest.raises(ValueError, match=words):
            pack_flow(flow)
