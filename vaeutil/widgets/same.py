"""SameCode: one code z, decoded by several models side by side."""

import math

import numpy as np
import torch
import traitlets as t

from vaeutil.nets import SIDE
from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import join, pack

SHOWN = 8  # columns of the picture


class SameCode(Explorable):
    """Sliders for one z, and beside each other the images that several decoders make of it.

    models: {name: model without classes}, all of one latent size, with `decoder` and `decode` (its
    sigmoid). The sliders go from −3 to 3 in steps of 0.05; a button draws z from N(0, I).

    Trait, synced both ways in a live notebook: `z`, [latent] numbers. `images` are the decoded
    images at z, float [models, 784], computed in Python.

    Raises ValueError for no model, models of different latent sizes, one with classes or one that
    the browser cannot run; traitlets.TraitError for a z that is none.
    """

    z = t.List(t.Float()).tag(sync=True)

    def __init__(self, models, *, z=None, title="One code, several decoders"):
        sizes = {getattr(model, "latent", None) for model in models.values()}
        if len(sizes) != 1 or None in sizes:
            raise ValueError("SameCode needs models of one latent size.")
        if any(int(getattr(model, "classes", 0) or 0) for model in models.values()):
            raise ValueError("SameCode shows models that take no class.")
        self._models, (self._latent,) = dict(models), sizes
        super().__init__(
            tag="same-code",
            moves=["z"],
            weights=join(
                {str(i): pack(m.decoder, m.latent) for i, m in enumerate(models.values())}
            ),
            options={"title": title, "names": list(models), "range": 3.0, "step": 0.05, "seed": 0},
            z=[0.0] * self._latent if z is None else [float(value) for value in z],
        )

    @t.validate("z")
    def _check_z(self, proposal) -> list[float]:
        z = proposal["value"]
        if len(z) != self._latent or not all(map(math.isfinite, z)):
            raise t.TraitError(f"z must be {self._latent} finite numbers, not {z}.")
        return z

    @property
    def images(self) -> np.ndarray:
        """What each model decodes at z: [models, 784], from 0 to 1."""
        return self._decode(torch.tensor([self.z]))[:, 0]

    @torch.no_grad()
    def _decode(self, z: torch.Tensor) -> np.ndarray:
        """[n, latent] → [models, n, 784]."""
        return np.stack([model.decode(z).cpu().numpy() for model in self._models.values()])

    def picture(self) -> tuple[np.ndarray, str]:
        """A row for each model: what it decodes at z and at draws from N(0, I)."""
        draws = torch.randn(SHOWN - 1, self._latent, generator=torch.Generator().manual_seed(0))
        tiles = self._decode(torch.cat([torch.tensor([self.z]), draws]))
        rows = tiles.reshape(-1, SHOWN, SIDE, SIDE).swapaxes(1, 2)
        grey = np.rint(255 * rows.reshape(-1, SHOWN * SIDE)).astype(np.uint8)
        return grey, (
            f"{self.options['title']}: a row of decoded images for each of "
            f"{', '.join(self.options['names'])}. In a column, all decode the same code."
        )
