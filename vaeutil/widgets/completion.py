"""CompleteDigit: some pixels of a digit, drawn or given, and what two models make of the rest."""

import numpy as np
import torch
import traitlets as t

from vaeutil.models import CompletionNet, CompletionVAE
from vaeutil.seeding import seeded
from vaeutil.widgets._base import Explorable
from vaeutil.widgets._pack import join, pack_network
from vaeutil.widgets.pen import SIDE

DRAWS = 6
MOST = 20


class CompleteDigit(Explorable):
    """The seen quadrants of an image, a network's completion, and six of a conditional VAE.

    network: CompletionNet; model: CompletionVAE for the same quadrants; x: binary images [n, 784],
    n from 1 to 20. The reader chooses an image, or draws strokes in the seen part, and draws z
    anew. The page shows log-probabilities of the true rest: the network's, and the VAE's by k
    importance samples, computed here.

    Traits, synced both ways in a live notebook: `image`, its number, or −1 for the drawing;
    `strokes`, [[[x, y], …], …] in pixels of the whole picture, y downwards.

    Raises ValueError for models of another kind or of different quadrants, and for images that are
    not binary or too many; traitlets.TraitError for an image that is not there.
    """

    image = t.Int(0).tag(sync=True)
    strokes = t.List().tag(sync=True)

    def __init__(self, network, model, x, *, k=500, title="Complete the digit"):
        if not isinstance(network, CompletionNet) or not isinstance(model, CompletionVAE):
            raise ValueError("CompleteDigit takes a CompletionNet and a CompletionVAE.")
        if network.quadrants != model.quadrants:
            raise ValueError("The network and the VAE must see the same quadrants.")
        if x.ndim != 2 or not 1 <= len(x) <= MOST or not ((x == 0) | (x == 1)).all():
            raise ValueError(f"x must be from 1 to {MOST} images of pixels 0 or 1.")
        self._network, self._model, self._x = network, model, x.detach().cpu()
        seen, latent = len(model.seen), model.latent
        with torch.no_grad(), seeded(0):
            costs = [
                (-network.log_weights(x, 1)[0]).tolist(),
                (np.log(k) - model.log_weights(x, k).logsumexp(0)).tolist(),
            ]
        super().__init__(
            tag="complete-digit",
            moves=["image", "strokes"],
            weights=join(
                {
                    "network": pack_network(network.decoder, seen, 784 - seen, sigmoid=True),
                    "prior": pack_network(model.prior_net, seen, 2 * latent),
                    "decoder": pack_network(model.decoder, latent + seen, 784 - seen, sigmoid=True),
                }
            ),
            options={
                "title": title,
                "latent": latent,
                "seen": model.seen.tolist(),
                "images": self._x.int().tolist(),
                "costs": [[round(v, 2) for v in row] for row in costs],
                "draws": DRAWS,
            },
        )

    @t.validate("image")
    def _check(self, proposal) -> int:
        if not -1 <= proposal["value"] < len(self._x):
            raise t.TraitError(f"image goes from −1 to {len(self._x) - 1}.")
        return proposal["value"]

    @torch.no_grad()
    def picture(self) -> tuple[np.ndarray, str]:
        """A row for each image: its seen part, the network's answer, three draws, the truth."""
        c, t_ = self._model.parts(self._x)
        with seeded(0):
            draws = self._model.complete(c, 3)
        answer = self._network.whole(c, self._network.target(c).mean)
        columns = [self._model.whole(c, torch.zeros_like(t_)), answer, *draws, self._x]
        tiles = torch.stack(columns, 1).reshape(len(c), len(columns), SIDE, SIDE).swapaxes(1, 2)
        grey = (255 * tiles.reshape(len(c) * SIDE, -1)).round().byte().numpy()
        return grey, (
            f"{self.options['title']}: rows of digits. In each the part that is seen, the "
            "network's completion, three completions of the conditional VAE, the true digit."
        )
