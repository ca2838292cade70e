"""FlowLayers: a flow in the plane, layer by layer, and where the density of a point goes."""

import math

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.flows import Flow
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import join
from vaeutil.widgets._pack_flow import pack_flow, steps

CIRCLE = 1.1774  # the circle that holds half of N(0, I) in the plane


class FlowLayers(Explorable):
    """A slider steps through a flow's layers; a point can be moved, and its density is accounted.

    flows: {name: flow of two dimensions without context, forward from N(0, I)}; outlines: {name:
    curves as `vaeutil.outline.outline` gives them}, drawn for the law that flow was fitted to.

    Traits, synced both ways in a live notebook: `flow`, the index of the flow shown; `layer`, how
    many of its layers have been passed (0: none); `z`, the point before the first, two numbers.

    The page draws 600 points of N(0, I), the inner half in another colour, and a small circle about
    the point, all sent through the layers, and adds up log q = log N(z; 0, I) − Σ log|det|.

    Raises ValueError for no flow, one that is not of the plane or that the browser cannot run, or
    outlines of an unknown name; traitlets.TraitError for an index out of range or a point that is
    not two finite numbers.
    """

    flow = t.Int(0).tag(sync=True)
    layer = t.Int(0).tag(sync=True)
    z = t.List(t.Float()).tag(sync=True)

    def __init__(self, flows: dict[str, Flow], outlines=None, *, z=(0.8, 0.4), reach=5.0, title=""):
        outlines = outlines or {}
        if not flows or any(flow.dim != 2 for flow in flows.values()):
            raise ValueError("FlowLayers needs flows of two dimensions, at least one.")
        if not set(outlines) <= set(flows):
            raise ValueError(f"There is no flow for the outlines {set(outlines) - set(flows)}.")
        self._flows = list(flows.values())
        self._steps = [steps(flow) for flow in self._flows]
        super().__init__(
            tag="flow-layers",
            moves=["flow", "layer", "z"],
            weights=join({str(i): pack_flow(flow) for i, flow in enumerate(self._flows)}),
            options={
                "title": title or "A flow, layer by layer",
                "names": list(flows),
                "steps": self._steps,
                "outlines": [outlines.get(name, []) for name in flows],
                "reach": reach,
                "circle": CIRCLE,
                "seed": 0,
            },
            z=list(map(float, z)),
        )

    @t.validate("flow", "layer")
    def _check_index(self, proposal) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        most = len(self._flows) - 1 if name == "flow" else max(map(len, self._steps))
        if not 0 <= value <= most:
            raise t.TraitError(f"{name} must be from 0 to {most}, not {value}.")
        return value

    @t.validate("z")
    def _check_z(self, proposal) -> list[float]:
        if len(proposal["value"]) != 2 or not all(map(math.isfinite, proposal["value"])):
            raise t.TraitError(f"z must be two finite numbers, not {proposal['value']}.")
        return proposal["value"]

    @torch.no_grad()
    def picture(self) -> tuple[np.ndarray, str]:
        """Draws of N(0, I), and the first flow's image of them."""
        z = torch.randn(600, 2, generator=torch.Generator().manual_seed(0))
        inner = z.norm(dim=1) < CIRCLE
        weight = next(self._flows[0].parameters())
        figure = Figure((6.4, 3.2), layout="constrained")
        ends = {"before": z, "after": self._flows[0](z.to(weight))[0].cpu()}
        for axes, (name, points) in zip(figure.subplots(1, 2), ends.items(), strict=True):
            for part, colour in ((inner, PALETTE[0]), (~inner, PALETTE[1])):
                axes.plot(*points[part].T, ".", ms=3, color=colour)
            reach = self.options["reach"]
            axes.set(title=name, xlim=(-reach, reach), ylim=(-reach, reach))
        return sketch(figure), (
            f"{self.options['title']}: draws of N(0, I), and where the {len(self._steps[0])} "
            f"layers of {self.options['names'][0]} take them."
        )
