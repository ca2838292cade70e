"""BlurExplorer: one image, its decoded mean and a draw, by the σ of training and the σ in use."""

import math

import numpy as np
import torch
import traitlets as t

from vaeutil.nets import SIDE
from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import join, pack

LOWEST, HIGHEST = 0.02, 1.0  # of the σ in use
MOST = 12  # images


class BlurExplorer(Explorable):
    """Gaussian decoders that differ in σ, a few images, and the σ that a draw is made with.

    models: {name: VAE with a Gaussian likelihood}, of one latent size; x: images [n, 784] in
    [0, 1], n from 1 to 12, each shown beside the mean m(z) that a model decodes at its mean code z.

    Traits, synced both ways in a live notebook: `trained`, the number of the model; `image`, the
    number of the image; `sigma`, the σ in use, from 0.02 to 1 (it starts at the model's own).

    Raises ValueError for no model, one without a Gaussian likelihood or of another latent size, no
    image or too many; traitlets.TraitError for a number that is out of range.
    """

    trained = t.Int(0).tag(sync=True)
    image = t.Int(0).tag(sync=True)
    sigma = t.Float(LOWEST).tag(sync=True)

    def __init__(self, models, x, *, trained=0, title="Two sigmas"):
        laws = {getattr(model, "config", {}).get("likelihood") for model in models.values()}
        if laws != {"gaussian"} or len({model.latent for model in models.values()}) != 1:
            raise ValueError("BlurExplorer needs Gaussian decoders of one latent size.")
        if x.ndim != 2 or not 1 <= len(x) <= MOST:
            raise ValueError(f"x must be from 1 to {MOST} images, not of shape {list(x.shape)}.")
        self._x = x.detach().cpu()
        with torch.no_grad():
            self._codes = [model.encode(x).cpu() for model in models.values()]
            codes = zip(models.values(), self._codes, strict=True)
            self._means = [model.decode(z).cpu() for model, z in codes]
        own = [model.log_sigma.exp().item() for model in models.values()]
        super().__init__(
            tag="blur-explorer",
            moves=["trained", "image", "sigma"],
            weights=join(
                {str(i): pack(m.decoder, m.latent) for i, m in enumerate(models.values())}
            ),
            options={
                "title": title,
                "names": list(models),
                "own": own,
                "images": (255 * self._x).round().int().tolist(),
                "codes": [np.round(z.numpy().astype(float), 4).tolist() for z in self._codes],
                "range": [LOWEST, HIGHEST],
                "seed": 0,
            },
            trained=trained,
            sigma=own[trained] if 0 <= trained < len(own) else LOWEST,
        )

    @t.validate("trained", "image", "sigma")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "sigma":
            if not (math.isfinite(value) and LOWEST <= value <= HIGHEST):
                raise t.TraitError(f"sigma must be from {LOWEST} to {HIGHEST:g}, not {value}.")
            return value
        among = len(self._codes) if name == "trained" else len(self._x)
        if not 0 <= value < among:
            raise t.TraitError(f"{name} must be from 0 to {among - 1}, not {value}.")
        return value

    def picture(self) -> tuple[np.ndarray, str]:
        """A row for each image: the image, then mean and draw of each model at its own σ."""
        noise = torch.randn(self._x.shape, generator=torch.Generator().manual_seed(0))
        columns = [self._x]
        for mean, sigma in zip(self._means, self.options["own"], strict=True):
            columns += [mean, (mean + sigma * noise).clamp(0, 1)]
        tiles = torch.stack(columns, 1).reshape(-1, len(columns), SIDE, SIDE).swapaxes(1, 2)
        grey = tiles.reshape(-1, len(columns) * SIDE).mul(255).round().byte().numpy()
        return grey, (
            f"{self.options['title']}: rows of images. In each the original, then, for decoders "
            f"trained with {', '.join(self.options['names'])}, the mean and one draw."
        )
