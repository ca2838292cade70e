"""Images that a model made, kept in its place: they take a tenth of the room of its weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Gallery(nn.Module):
    """Rows of images, each with a name: `gallery["draws"]` is [count, 784].

    Stored and loaded as a model is, but it decodes nothing. names: one a row; count: images in a
    row. Raises ValueError without names or images; KeyError for a name that is not there.
    """

    def __init__(self, names: Sequence[str], count: int):
        super().__init__()
        if not names or count < 1:
            raise ValueError("A gallery needs the name of a row and a number of images.")
        self.config = {"names": list(names), "count": count}
        self.register_buffer("images", torch.zeros(len(names), count, 784))

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.images.device

    @classmethod
    def of(cls, rows: dict[str, Tensor]) -> "Gallery":
        """{name: [count, 784]} → a gallery. Raises RuntimeError for rows of unequal length."""
        images = torch.stack(list(rows.values())).detach().cpu().float()
        gallery = cls(list(rows), images.shape[1])
        gallery.images.copy_(images)
        return gallery

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.config["names"]:
            raise KeyError(f"There is no row {name!r}; the rows are {self.config['names']}.")
        return self.images[self.config["names"].index(name)]
