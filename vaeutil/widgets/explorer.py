"""LatentExplorer: move a code z and see the image it decodes to."""

import copy
import math

import numpy as np
import torch
import traitlets as t

from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import pack

SIDE = 28


class LatentExplorer(Explorable):
    """One slider for each latent dimension; for two dimensions also a map to drag a point over.

    model: has `latent`, `decoder` (nn.Sequential to the 784 pre-activations) and `decode` (their
    sigmoid), as the models of vaeutil do. Where it has `classes` > 0, the decoder takes z and
    then the class as a one-hot vector, `decode` is called as decode(z, y), and a selector appears.
    z: the code at the start ([latent] numbers; zeros if None). range, step: the sliders go from
    −range to range in steps. grid: images along each side of the map (0: no map).

    Traits, synced both ways in a live notebook:
    - `z`: list of floats; setting it moves the sliders.
    - `y`: the class; it stays 0 where the model takes none.
    - `image`: bytes, the 784 grey levels 0…255 of the decoded image (read-only: it follows z), as
      `np.frombuffer(explorer.image, np.uint8).reshape(28, 28)`.

    The decoder is copied: training on afterwards does not change an explorer that exists.

    Raises ValueError for a model without a decoder, without latent dimensions, with weights that
    are not finite, or with a layer that the browser cannot run; traitlets.TraitError for a z of
    the wrong length or with numbers that are not finite.
    """

    z = t.List(t.Float()).tag(sync=True)
    y = t.Int(0).tag(sync=True)
    image = t.Bytes(read_only=True).tag(sync=True)

    def __init__(self, model, *, z=None, range=3.0, step=0.05, grid=15, title="Latent explorer"):
        self._latent, self._classes = _sizes(model)
        _check_scale(range, step, grid)
        weights = pack(model.decoder, self._latent, self._classes)
        self._decoder = copy.deepcopy(model.decoder).float().cpu()
        self._check_decode(model)
        z = [0.0] * self._latent if z is None else [float(value) for value in z]
        super().__init__(
            tag="latent-explorer",
            moves=["z", "y"] if self._classes else ["z"],
            weights=weights,
            options={
                "range": range,
                "step": step,
                "grid": grid,
                "classes": self._classes,
                "title": title,
                "seed": 0,
            },
            z=z,
        )

    def _check_decode(self, model) -> None:
        """The browser shows sigmoid(decoder(z)): refuse a model whose decode is anything else."""
        weight = next(model.decoder.parameters())
        code = torch.linspace(-1, 1, self._latent).to(weight)[None]
        label = [torch.zeros(1, dtype=torch.int64, device=weight.device)] if self._classes else []
        with torch.no_grad():
            theirs = model.decode(code, *label).float().cpu().numpy()
        ours = self._means(code.tolist(), 0)
        if not np.allclose(ours, theirs, atol=0.01):
            raise ValueError(
                "The explorer shows sigmoid(model.decoder(z)), but model.decode(z) is something "
                f"else: they differ by up to {abs(ours - theirs).max():.2g}."
            )

    @torch.no_grad()
    def _means(self, codes, y) -> np.ndarray:
        """codes: [n, latent] → pixel means float32 [n, 784]."""
        codes = torch.as_tensor(codes, dtype=torch.float32)
        if self._classes:
            one_hot = torch.zeros(len(codes), self._classes)
            one_hot[:, y] = 1
            codes = torch.cat([codes, one_hot], dim=1)
        return self._decoder(codes).sigmoid().numpy()

    @t.validate("z")
    def _check_z(self, proposal) -> list[float]:
        z = proposal["value"]
        if len(z) != self._latent:
            raise t.TraitError(f"z needs {self._latent} numbers, one a dimension, not {len(z)}.")
        if not all(math.isfinite(value) for value in z):
            raise t.TraitError(f"z must be finite numbers, not {z}.")
        return z

    @t.validate("y")
    def _check_y(self, proposal) -> int:
        y = proposal["value"]
        if y and not self._classes:
            raise t.TraitError(f"This model takes no class, so y stays 0, not {y}.")
        if self._classes and not 0 <= y < self._classes:
            raise t.TraitError(f"y must be a class from 0 to {self._classes - 1}, not {y}.")
        return y

    @t.observe("z", "y")
    def _decode(self, _change) -> None:
        self.set_trait("image", _grey(self._means([self.z], self.y)).tobytes())

    def picture(self) -> tuple[np.ndarray, str]:
        """A grid of decoded images: the whole map of two dimensions, or a row a dimension."""
        if self._latent == 2 and self.options["grid"]:
            codes, alt = self._map()
        else:
            codes, alt = self._rows()
        rows, columns, _ = codes.shape
        tiles = _grey(self._means(codes.reshape(rows * columns, -1), self.y))
        tiles = tiles.reshape(rows, columns, SIDE, SIDE).swapaxes(1, 2)
        return tiles.reshape(rows * SIDE, columns * SIDE), f"{self.options['title']}: {alt}"

    def _map(self) -> tuple[np.ndarray, str]:
        span, grid = self.options["range"], self.options["grid"]
        centres = span * ((2 * np.arange(grid) + 1) / grid - 1)
        codes = np.stack(np.meshgrid(centres, -centres), axis=-1)
        return codes, (
            f"{grid} by {grid} decoded images, z1 from −{span:g} to {span:g} to the right, z2 "
            f"from −{span:g} to {span:g} upwards."
        )

    def _rows(self, most: int = 10, columns: int = 11) -> tuple[np.ndarray, str]:
        span, rows = self.options["range"], min(self._latent, most)
        codes = np.tile(np.asarray(self.z), (rows, columns, 1))
        for i in np.arange(rows):
            codes[i, :, i] = np.linspace(-span, span, columns)
        which = "each dimension" if rows == self._latent else f"each of the first {rows} dimensions"
        return codes, (
            f"a row of decoded images for {which} of z, which goes from −{span:g} to {span:g} "
            "along the row while the others stay."
        )


def _grey(means: np.ndarray) -> np.ndarray:
    return np.rint(255 * means).astype(np.uint8)


def _sizes(model) -> tuple[int, int]:
    """(latent, classes) of a model, checked."""
    name = type(model).__name__
    for part in ("decoder", "decode", "latent"):
        if getattr(model, part, None) is None:
            raise ValueError(f"{name} has no {part}, so there is nothing to explore.")
    latent = model.latent
    if isinstance(latent, bool) or not isinstance(latent, int) or latent < 1:
        raise ValueError(f"{name}.latent is {latent!r}; at least one dimension is needed.")
    return latent, int(getattr(model, "classes", 0) or 0)


def _check_scale(span: float, step: float, grid: int) -> None:
    if not (0 < step <= span < math.inf):
        raise ValueError(f"0 < step ≤ range is needed, not step={step} and range={span}.")
    if not math.isclose(span / step, round(span / step)):
        raise ValueError(f"range must be a whole number of steps, not {span} / {step}: 0 is lost.")
    if isinstance(grid, bool) or not isinstance(grid, int) or not 0 <= grid <= 40:
        raise ValueError(f"grid must be a whole number from 0 to 40, not {grid!r}.")
