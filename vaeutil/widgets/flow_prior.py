"""FlowPriorExplorer: a draw from N(0, I), through the flow of an f-VAE, to an image."""

import math

import numpy as np
import torch
import traitlets as t

from vaeutil import figures
from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import join, pack
from vaeutil.widgets._pack_flow import pack_flow
from vaeutil.widgets.planes import MOST

ROUTES = ("through the flow: w = F⁻¹(z)", "past the flow: w = z")
TURNS = np.linspace(0, 2 * np.pi, 97)
RADII = (0.7585, 1.6651, 2.4477)  # circles that hold 25 %, 75 % and 95 % of N(0, I) in the plane


class FlowPriorExplorer(Explorable):
    """A slider for each z of an f-VAE, the image it decodes to, and a sheet of draws beside it.

    model: has `latent`, `decoder`, and a `flow` from z to the decoder's w, as `FVAE`. x: images,
    [n, 784], n from 2 to 1,500, for a model of two latents: then two planes show z, and w with the
    codes E(x). draws: images on the sheet. The reader moves z, the temperature (the sheet's draws
    are temperature × N(0, I); the sliders' z stays as it is), and chooses the route: through the
    flow, or past it, w = z.

    Traits, synced both ways in a live notebook: `z`, [latent] numbers; `temperature`, from 0 to
    1.5; `route`, 0 (through) or 1 (past).

    Raises ValueError for a model without a flow or that the browser cannot run, for x that is
    missing, not wanted or of another number; traitlets.TraitError for a z, temperature or route out
    of range.
    """

    z = t.List(t.Float()).tag(sync=True)
    temperature = t.Float(1.0, min=0.0, max=1.5).tag(sync=True)
    route = t.Int(0, min=0, max=1).tag(sync=True)

    def __init__(self, model, x=None, *, z=None, draws=12, title="Through the flow"):
        if getattr(model, "flow", None) is None:
            raise ValueError(f"{type(model).__name__} has no flow between z and its decoder.")
        if (x is not None) != (model.latent == 2):
            raise ValueError("Images are shown as codes in the plane of a model of two latents.")
        if x is not None and not 2 <= len(x) <= MOST:
            raise ValueError(f"FlowPriorExplorer shows from 2 to {MOST:,} images, not {len(x):,}.")
        weights = join(
            {"decoder": pack(model.decoder, model.latent), "flow": pack_flow(model.flow)}
        )
        self._latent, (self.codes, rings) = model.latent, _plane(model, x)
        with torch.no_grad():
            noise = torch.randn(20, model.latent, generator=torch.Generator().manual_seed(0))
            self._sheet = model.decode(model.flow(noise.to(model.device))[0]).float().cpu()
        super().__init__(
            tag="flow-prior",
            moves=["z", "temperature", "route"],
            weights=weights,
            options={
                "title": title,
                "routes": list(ROUTES),
                "codes": self.codes,
                "rings": rings,
                "draws": draws,
                "range": 3.0,
                "seed": 0,
            },
            z=[0.0] * model.latent if z is None else [float(value) for value in z],
        )

    @t.validate("z")
    def _check_z(self, proposal) -> list[float]:
        z = proposal["value"]
        if len(z) != self._latent or not all(math.isfinite(value) for value in z):
            raise t.TraitError(f"z needs {self._latent} finite numbers, not {z}.")
        return z

    def picture(self) -> tuple[np.ndarray, str]:
        """Twenty draws through the flow."""
        grey = np.nan_to_num(figures.tile(self._sheet, 10), nan=1.0)
        return np.rint(255 * grey).astype(np.uint8), (
            f"{self.options['title']}: twenty images, decoded from draws of N(0, I) that went "
            "through the flow."
        )


def _plane(model, x) -> tuple[list, list]:
    """Codes [2, n] and the circles' images [circles, 2, points] in w; empty without images."""
    if x is None:
        return [], []
    with torch.no_grad():
        codes = model.encode(x.to(model.device)).cpu().double().numpy()
        circles = np.stack([r * np.stack([np.cos(TURNS), np.sin(TURNS)], 1) for r in RADII])
        z = torch.tensor(circles, dtype=torch.float32, device=model.device)
        rings = model.flow(z)[0].cpu().double().numpy()
    return np.round(codes.T, 3).tolist(), np.round(rings.transpose(0, 2, 1), 3).tolist()
