"""OneHand: one code z, taken from somebody's handwriting or moved, decoded in every class."""

import math

import numpy as np
import torch
import traitlets as t

from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import pack

SIDE = 28
RANGE = 3.0
MOST = 20  # images to take the hand from


class OneHand(Explorable):
    """The digits 0, 1, 2 … of a conditional decoder at one code z, and sliders for z.

    model: a CVAE (its `decode(z, y)` is the sigmoid of its decoder on z and then the class as a
    one-hot vector); x, y: images [n, 784] with their labels [n], n from 1 to 20, whose mean codes
    the reader can take. Sliders go from −3 to 3 (codes are cut there).

    Traits, synced both ways in a live notebook: `z`, `y` (the class that is shown large), `hand`
    (the number of the image that z was last taken from).

    Raises ValueError for a model without classes or without a decoder that a browser can run, or
    for images that do not fit; traitlets.TraitError for a z, y or hand that is none.
    """

    z = t.List(t.Float()).tag(sync=True)
    y = t.Int(0).tag(sync=True)
    hand = t.Int(0).tag(sync=True)

    def __init__(self, model, x, y, *, title="One hand, ten digits"):
        if int(getattr(model, "classes", 0) or 0) < 2:
            raise ValueError(f"{type(model).__name__} takes no class: OneHand needs a CVAE.")
        if x.ndim != 2 or not 1 <= len(x) <= MOST or len(y) != len(x):
            raise ValueError(f"OneHand takes from 1 to {MOST} images, each with its label.")
        self._model, self._x = model, x.detach().cpu()
        with torch.no_grad():
            codes = model.encode(x, y).clamp(-RANGE, RANGE).cpu().double()
        self.codes = np.round(codes.numpy(), 2).tolist()
        super().__init__(
            tag="one-hand",
            moves=["z", "y", "hand"],
            weights=pack(model.decoder, model.latent, model.classes),
            options={
                "title": title,
                "range": RANGE,
                "step": 0.05,
                "classes": model.classes,
                "images": (255 * self._x).round().int().tolist(),
                "labels": y.tolist(),
                "codes": self.codes,
                "seed": 0,
            },
            z=self.codes[0],
            y=int(y[0]),
        )

    @t.validate("z")
    def _check_z(self, proposal) -> list[float]:
        z = proposal["value"]
        if len(z) != self._model.latent or not all(math.isfinite(v) for v in z):
            raise t.TraitError(f"z needs {self._model.latent} finite numbers, not {z}.")
        return z

    @t.validate("y", "hand")
    def _check(self, proposal) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        among = self._model.classes if name == "y" else len(self._x)
        if not 0 <= value < among:
            raise t.TraitError(f"{name} must be from 0 to {among - 1}, not {value}.")
        return value

    @torch.no_grad()
    def means(self, z) -> np.ndarray:
        """The decoded mean in every class: float32 [classes, 784]."""
        labels = torch.arange(self._model.classes)
        code = torch.tensor([z], dtype=torch.float32).expand(len(labels), -1)
        return self._model.decode(code.to(self._model.device), labels).cpu().numpy()

    def picture(self) -> tuple[np.ndarray, str]:
        """A row for each image: the image itself, then its code decoded in every class."""
        rows = [np.stack([x, *self.means(z)]) for x, z in zip(self._x, self.codes, strict=True)]
        tiles = np.stack(rows).reshape(len(rows), -1, SIDE, SIDE).swapaxes(1, 2)
        grey = np.rint(255 * tiles.reshape(len(rows) * SIDE, -1)).astype(np.uint8)
        return grey, (
            f"{self.options['title']}: rows of digits. Each row begins with a test image; then "
            "the digits from 0 on that its code decodes to, all in the same hand."
        )
