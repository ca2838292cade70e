"""DrawDigit: draw a digit and see its posterior, a draw from it, and what they decode to."""

import base64

import numpy as np
import torch
import traitlets as t

from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import PIXELS, join, pack_network
from vaeutil.widgets.pen import SIDE, rasterise


class DrawDigit(Explorable):
    """A pad to draw on, and all that a VAE with a Bernoulli likelihood says about the drawing.

    model: a VAE on binary pixels, its networks made of layers that a browser can run. digits: uint8
    [n, 28, 28] or [n, 784], images to choose from (for those who do not draw); names: what they
    are called. The drawing becomes grey levels as in `pen.rasterise`, and each pixel is switched
    on or off by a fixed random threshold, so that the encoder sees what it was trained on.

    Traits, synced both ways in a live notebook:
    - `strokes`: [[[x, y], …], …] in pixels of the pad, 28 on each side, y downwards;
    - `digit`: the index of the image that is shown in the drawing's place, or −1.

    Raises ValueError for a model of another kind or digits of other shapes; traitlets.TraitError
    for a digit that is not there.
    """

    strokes = t.List().tag(sync=True)
    digit = t.Int(0).tag(sync=True)

    def __init__(self, model, digits, names, *, title="Draw a digit"):
        if getattr(model, "observation", None) != "binary" or not hasattr(model, "posterior"):
            raise ValueError("DrawDigit needs a VAE on binary pixels.")
        digits = np.asarray(digits)
        if digits.dtype != np.uint8 or digits.size != len(names) * PIXELS or not len(names):
            raise ValueError("digits must be uint8 [n, 28, 28], one image for each of the names.")
        self._digits = digits.reshape(-1, PIXELS)
        self._thresholds = np.random.default_rng(0).integers(0, 255, PIXELS)
        latent = model.latent
        networks = {
            "encoder": pack_network(model.encoder, PIXELS, 2 * latent),
            "decoder": pack_network(model.decoder, latent, PIXELS),
        }
        self._model = model
        super().__init__(
            tag="draw-digit",
            moves=["strokes", "digit"],
            weights=join(networks),
            options={
                "latent": latent,
                "digits": base64.b64encode(self._digits.tobytes()).decode(),
                "names": [str(name) for name in names],
                "thresholds": self._thresholds.tolist(),
                "title": title,
            },
        )

    @t.validate("digit")
    def _check_digit(self, proposal) -> int:
        if not -1 <= proposal["value"] < len(self._digits):
            raise t.TraitError(f"digit goes from −1 to {len(self._digits) - 1}.")
        return proposal["value"]

    @property
    def grey(self) -> np.ndarray:
        """The grey levels of the drawing, or of the chosen image: uint8 [28, 28]."""
        if self.digit < 0:
            return np.rint(255 * rasterise(self.strokes)).astype(np.uint8)
        return self._digits[self.digit].reshape(SIDE, SIDE)

    @property
    def x(self) -> torch.Tensor:
        """What the encoder sees: pixels on or off, float32 [1, 784]."""
        return torch.from_numpy(self.grey.reshape(1, -1) > self._thresholds).float()

    @torch.no_grad()
    def picture(self) -> tuple[np.ndarray, str]:
        """The image, its pixels on or off, and its reconstruction, side by side."""
        reconstruction = self._model.reconstruct(self.x).numpy()
        levels = [self.grey.reshape(-1), 255 * self.x.numpy(), np.rint(255 * reconstruction)]
        row = np.concatenate([np.reshape(v, (SIDE, SIDE)) for v in levels], axis=1)
        alt = f"{self.options['title']}: a digit, its pixels on or off, its reconstruction."
        return row.astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1), alt
