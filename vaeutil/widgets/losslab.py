"""LossLab: which β a program uses that averages, weighs, or leaves σ out, for a linear VAE."""

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure
from torch import nn

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets._pack import PIXELS, join, pack_network

SIZES = (
    ("14 × 14", 196),
    ("28 × 28", 784),
    ("56 × 56", 3_136),
    ("3 × 64 × 64", 12_288),
    ("3 × 224 × 224", 150_528),
)
RANGES = {"noise": (0.02, 20.0), "weight": (1e-5, 1e4), "latent": (1, 256)}
NAMES = ("pixels_mean", "noise", "size", "weight", "latent_mean", "latent")
PROGRAMS = (  # what it says, and the traits of NAMES
    ("sum of squares / 2σ² + KL (the ELBO, σ = 0.3)", (False, 0.3, 1, 1.0, False, 10)),
    ("mean of squares + KL", (True, 0.0, 1, 1.0, False, 10)),
    ("mean of squares + 0.00025 KL, on 3 × 64 × 64", (True, 0.0, 3, 0.00025, False, 128)),
    ("the same, its weight forgotten in validation", (True, 0.0, 3, 1.0, False, 128)),
    ("the same weight, carried over to 28 × 28 digits", (True, 0.0, 1, 0.00025, False, 10)),
    ("sum of squares + KL averaged over 32 latents", (False, 0.0, 1, 1.0, True, 32)),
    ("sum of squares + KL", (False, 0.0, 1, 1.0, False, 10)),
)


class LossLab(Explorable):
    """A loss as programs write it, A‖x − m‖² + B·KL, and the plain VAE with the same optimum.

    pixels: [N, 784] in 0..1, N above `directions`: their principal directions, in float64, are
    those of the linear VAE. x: [n, 784], n from 1 to 8: images that it tells. directions: how many
    latents it has, from 2 to 100, whatever d the program says: d only divides a mean.

    A is 1, or 1/(2σ²) where σ is written, divided by the number D of values for a mean over them;
    B is ω, divided by d for a mean over the latents. The optimum is that of a plain VAE with the
    variance s² = B/(2A); β = s²/σ², with σ = 1 where none is written. The same image drawn with D
    values has D/784 times the variances.

    Traits, synced both ways in a live notebook: `pixels_mean` and `latent_mean`, True for means;
    `noise`, σ, or 0 for the bare squares; `size`, an index of SIZES; `weight`, ω; `latent`, d;
    `image`, an index of x. ValueError or traitlets.TraitError for what is not as said here.
    """

    pixels_mean = t.Bool(False).tag(sync=True)
    noise = t.Float(0.3).tag(sync=True)
    size = t.Int(1).tag(sync=True)
    weight = t.Float(1.0).tag(sync=True)
    latent_mean = t.Bool(False).tag(sync=True)
    latent = t.Int(10).tag(sync=True)
    image = t.Int(0).tag(sync=True)

    def __init__(self, pixels, x, *, directions=40, title="Which β does this program use?"):
        if not 2 <= directions <= 100:
            raise ValueError(f"directions must be from 2 to 100, not {directions}.")
        for name, images in (("pixels", pixels), ("x", x)):
            if images.ndim != 2 or images.shape[1] != PIXELS:
                raise ValueError(f"{name} must be [n, {PIXELS}], not {list(images.shape)}.")
            if not ((images >= 0) & (images <= 1)).all():
                raise ValueError(f"{name} must be grey levels from 0 to 1: divide bytes by 255.")
        if not 1 <= len(x) <= 8 or len(pixels) <= directions:
            sizes = f"{len(x)} and {len(pixels)}"
            raise ValueError(f"x needs 1 to 8 images, pixels over {directions}, not {sizes}.")
        mean = (data := pixels.double().cpu()).mean(0)
        values, vectors = (v.flip(-1)[..., :directions] for v in torch.linalg.eigh(data.T.cov()))
        if values[-1] < 1e-9:
            raise ValueError(f"pixels vary in fewer than {directions} directions.")
        decoder = nn.Sequential(nn.Linear(directions, PIXELS))
        decoder[0].weight.data, decoder[0].bias.data = vectors.float(), mean.float()
        self._counts = {"size": len(SIZES), "image": len(x)}
        super().__init__(
            tag="loss-lab",
            moves=[*NAMES, "image"],
            weights=join({"decoder": pack_network(decoder, directions, PIXELS)}),
            options={
                "title": title,
                "variances": values.tolist(),
                "codes": np.round(((x.double().cpu() - mean) @ vectors).numpy(), 4).tolist(),
                "x": (255 * x).round().int().tolist(),
                "sizes": SIZES,
                "ranges": RANGES,
                "programs": [[n, dict(zip(NAMES, s, strict=True))] for n, s in PROGRAMS],
            },
        )

    @t.validate("noise", "size", "weight", "latent", "image")
    def _check_range(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name] if name in RANGES else (0, self._counts[name] - 1)
        near = low * (1 - 1e-9) <= value <= high * (1 + 1e-9)  # a slider's end is rounded
        if not (near or (name == "noise" and value == 0)):
            name += " must be 0 (no σ) or" if name == "noise" else " must be"
            raise t.TraitError(f"{name} from {low:g} to {high:g}, not {value}.")
        return value

    def picture(self) -> tuple[np.ndarray, str]:
        """The variances of the directions, and the levels s² of the first two programs."""
        axes = (figure := Figure((6, 2.8), layout="tight")).subplots()
        betas, variances = [], self.options["variances"]
        axes.semilogy(range(1, len(variances) + 1), variances, "o", color=PALETTE[0])
        for number, (name, (mean, noise, size, weight, over, d)) in enumerate(PROGRAMS):
            fit = (1 / (2 * noise**2) if noise else 1) / (SIZES[size][1] if mean else 1)
            level = weight / (d if over else 1) / (2 * fit)
            betas.append(f"{name}: β = {level / (noise or 1) ** 2:.4g}")
            if number < 2:
                axes.axhline(level, color=PALETTE[number + 1])
                axes.text(0, level * 1.15, name, fontsize=8)
        axes.set(xlabel="direction", ylabel="variance", ylim=(None, 2000))
        told = f"Variances of {len(variances)} directions, falling, and two levels. "
        return sketch(figure), told + "; ".join(betas) + "."
