"""From stored grey levels to the x that a model sees: binarised, grey or dequantised."""

from __future__ import annotations

import torch
from torch import Tensor

KINDS = ("binary", "grey", "dequantised")


def observe(pixels: Tensor, kind: str, generator: torch.Generator | None = None) -> Tensor:
    """Turn grey levels into one observation of each image, float32 [N, 784] in [0, 1].

    kind:
      "binary"       dynamic binarisation: each pixel is on with probability pixel/255, drawn anew
                     at each call (Burda et al. 2016, arXiv 1509.00519). 0 is never on and 255
                     always, so images already binarised (0 and 255) pass unchanged.
      "grey"         pixels/255: no noise. Not an observation a Bernoulli likelihood is meant for.
      "dequantised"  (pixels + u)/256 with u uniform on [0, 1): values in [0, 1), a density over
                     them bounds the probability of the grey levels (Theis et al. 2016, arXiv
                     1511.01844).

    pixels: uint8 [N, 28, 28] or [N, 784], on any device; generator: of that device. Nothing here
    waits for the device. Raises ValueError for another kind, type or shape.
    """
    if kind not in KINDS:
        raise ValueError(
            f"There is no observation of kind {kind!r}; use one of {', '.join(KINDS)}."
        )
    _require_pixels(pixels)
    flat = pixels.reshape(len(pixels), 784)
    if kind == "binary":
        return _binarise(flat, generator)
    if kind == "grey":
        return flat.to(torch.float32).div_(255)
    u = torch.rand(flat.shape, device=flat.device, generator=generator)
    # 255 + u can round to 256 in float32; the largest float below 1 keeps logits finite.
    return u.add_(flat).div_(256).clamp_(max=1 - 2**-24)


def _require_pixels(pixels: Tensor) -> None:
    if not isinstance(pixels, Tensor) or pixels.dtype != torch.uint8:
        found = pixels.dtype if isinstance(pixels, Tensor) else type(pixels).__name__
        raise ValueError(
            f"observe takes grey levels as a uint8 tensor (0 to 255), not {found}. Pass"
            " split.pixels; (x * 255).round().to(torch.uint8) turns values in [0, 1] back."
        )
    if tuple(pixels.shape[1:]) not in ((28, 28), (784,)):
        raise ValueError(
            f"observe takes pixels of shape [N, 28, 28] or [N, 784], not {list(pixels.shape)};"
            " one image alone is split.pixels[i : i + 1]."
        )


def _binarise(flat: Tensor, generator: torch.Generator | None) -> Tensor:
    # Comparing bytes is 4 times faster than torch.bernoulli, but a byte has 256 values and P(on)
    # is a multiple of 1/255. Clamping the byte to 254 gives pixel/256, and that is not close
    # enough: pixels of 253 and 254, the inside of each stroke, would be off half as often again,
    # and the entropy of an MNIST image given its grey levels would rise by 1.1 nats (45.8 to 46.9).
    # Instead a split point t, uniform on 0..254 and drawn for each image, joins the values t and
    # t+1. Then P(on | t) = (pixel + [t < pixel])/256, whose mean over t is pixel/255 exactly.
    # The price is a correlation between the pixels of an image of less than 2e-5.
    n = len(flat)
    words = torch.empty(n * 98, dtype=torch.int64, device=flat.device)  # 784 = 98 * 8 bytes
    noise = words.random_(-(2**63), None, generator=generator).view(torch.uint8).view(n, 784)
    split = torch.empty(n, 1, dtype=torch.uint8, device=flat.device)
    split.random_(0, 255, generator=generator)
    noise -= (noise > split).view(torch.uint8)
    return (flat > noise).to(torch.float32)
