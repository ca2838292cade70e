"""Sets of images, split into training, validation and test images, with where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Provenance:
    """Where a data set came from.

    source: the place, in words; checksums: md5 of the contents of each file, by file name;
    note: what a page that shows results on these images has to say about them.
    """

    source: str
    checksums: dict[str, str]
    note: str


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels: pixels uint8 [N, 28, 28] (0 to 255), labels int64 [N].

    A label of -1 is unknown. split[:100] is a Split of the first hundred. Raises ValueError for
    tensors of other types or shapes.
    """

    pixels: Tensor
    labels: Tensor

    def __post_init__(self):
        pixels, labels = self.pixels, self.labels
        if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != (28, 28):
            raise ValueError(
                "pixels must be a uint8 tensor of shape [N, 28, 28], grey levels from 0 to 255;"
                f" they are {pixels.dtype} {list(pixels.shape)}."
            )
        if labels.dtype != torch.int64 or tuple(labels.shape) != (len(pixels),):
            raise ValueError(
                f"labels must be an int64 tensor of shape [{len(pixels)}], one an image;"
                f" they are {labels.dtype} {list(labels.shape)}. Unknown labels are -1."
            )

    def __len__(self) -> int:
        """The number of images."""
        return len(self.pixels)

    def __getitem__(self, part: slice) -> Split:
        """The images of a slice. Raises ValueError for anything else; see `subset`."""
        if not isinstance(part, slice):
            raise ValueError(
                f"A split is cut by a slice, such as split[:100], not by {part!r};"
                " use split.subset(indices) for chosen images, split[i : i + 1] for one."
            )
        return Split(self.pixels[part], self.labels[part])

    def subset(self, indices) -> Split:
        """The images at these indices (a list, an array or a tensor) or under a boolean mask.

        Raises ValueError unless indices is one row of integers or truth values.
        """
        indices = torch.as_tensor(indices, device=self.pixels.device)
        if indices.ndim != 1 or (indices.is_floating_point() and len(indices)):
            raise ValueError(
                "subset takes one row of indices or a mask, such as [0, 5] or split.labels == 3;"
                f" these are {indices.dtype} {list(indices.shape)}."
            )
        if indices.dtype != torch.bool:
            indices = indices.long()
        return Split(self.pixels[indices], self.labels[indices])

    def __repr__(self) -> str:
        """For example Split(4,000 images)."""
        return f"Split({len(self):,} images)"


@dataclass(frozen=True, eq=False)
class Images:
    """A data set by name: three splits that share no image, and their provenance."""

    name: str
    train: Split
    valid: Split
    test: Split
    provenance: Provenance = field(repr=False)

    @cached_property
    def checksum(self) -> str:
        """One sha256 (hex) over the pixels of train, valid and test: the identity of the data."""
        digest = hashlib.sha256()
        for split in (self.train, self.valid, self.test):
            digest.update(split.pixels.cpu().numpy().tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        """The name, the sizes and the source."""
        sizes = f"{len(self.train):,} train, {len(self.valid):,} valid, {len(self.test):,} test"
        return f"Images({self.name!r}: {sizes}; from {self.provenance.source})"
