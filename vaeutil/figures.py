"""Pictures: digits, manifolds, curves. Each needs `alt`, the words for those who cannot see it."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm
from torch import Tensor

from vaeutil._svg import INK, PALETTE, STYLE, to_html
from vaeutil.history import History
from vaeutil.models import Model
from vaeutil.nets import SIDE

__all__ = [
    "INK",
    "PALETTE",
    "LiveCurves",
    "compare",
    "curves",
    "digits",
    "manifold",
    "new",
    "tile",
    "use",
]


def use() -> None:
    """Set the book's style and show figures as inline SVG; called by each notebook's set-up cell.

    The text of the figures takes the colour of the page, so they read in light and in dark.
    """
    plt.rcParams.update(STYLE)
    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:  # plain Python, or IPython on a terminal
        return
    shell.run_line_magic("matplotlib", "inline")
    formatters = shell.display_formatter.formatters
    for name in ("image/png", "image/svg+xml"):
        formatters[name].pop(Figure, None)
    formatters["text/html"].for_type(Figure, _show_once)
    formatters["text/plain"].for_type(Figure, lambda figure, p, cycle: p.text(figure.get_label()))
    plt.rcParams.update(STYLE)  # the magic resets some of it


def _show_once(figure: Figure) -> str:
    plt.close(figure)  # a figure in a cell's last line would be shown again when the cell ends
    return to_html(figure)


def new(rows: int = 1, cols: int = 1, size=(7.0, 3.0), *, alt: str, **kw) -> tuple[Figure, Axes]:
    """A figure of rows × cols axes, `size` in inches (100 pixels each), described by `alt`.

    Returns the figure and its axes, as plt.subplots does. Raises ValueError for an empty `alt`.
    """
    if not alt.strip():
        raise ValueError("alt says in words what the figure shows; it cannot be empty.")
    figure, axes = plt.subplots(rows, cols, figsize=size, **kw)
    figure.set_label(alt)
    return figure, axes


def tile(x, columns: int, gap: int = 1) -> np.ndarray:
    """Flat images [n, 784] as one picture, `columns` in a row; empty places are NaN (clear)."""
    x = torch.as_tensor(x).detach().cpu().float().reshape(-1, SIDE, SIDE).numpy()
    rows = -(-len(x) // columns)
    step = SIDE + gap
    picture = np.full((rows * step - gap, columns * step - gap), np.nan, np.float32)
    for index, image in enumerate(x):
        top, left = index // columns * step, index % columns * step
        picture[top : top + SIDE, left : left + SIDE] = image
    return picture


def show(axes: Axes, x, columns: int) -> None:
    """Draw flat images [n, 784] into `axes`: white on black, no frame, no ticks."""
    axes.imshow(tile(x, columns), vmin=0, vmax=1, interpolation="none")
    axes.axis("off")


def digits(x, columns: int = 10, *, alt: str, title: str = "", width: float = 7.0) -> Figure:
    """A grid of flat images [n, 784], `columns` in a row, `width` inches wide."""
    picture = tile(x, columns)
    height = width * picture.shape[0] / picture.shape[1] + (0.3 if title else 0.05)
    figure, axes = new(size=(width, height), alt=alt)
    show(axes, x, columns)
    axes.set_title(title, loc="left")
    return figure


def compare(rows: dict[str, Tensor], *, alt: str, width: float = 7.0) -> Figure:
    """Rows of images one above the other, each with its name: {name: [n, 784]}."""
    columns = max(len(x) for x in rows.values())
    figure, axes = new(len(rows), 1, (width, len(rows) * (width - 1.2) / columns + 0.1), alt=alt)
    for ax, (name, x) in zip(np.atleast_1d(axes), rows.items(), strict=True):
        show(ax, x, columns)
        ax.text(-0.01, 0.5, name, transform=ax.transAxes, ha="right", va="center")
    return figure


def manifold(model: Model, n: int = 20, *, alt: str, width: float = 6.0) -> Figure:
    """The decoded plane of a two-dimensional model: an n × n grid, each cell of equal prior mass.

    The codes are quantiles of N(0, 1), so crowded where the prior puts its mass.
    """
    if model.latent != 2:
        raise ValueError(f"A manifold needs two latent dimensions; this model has {model.latent}.")
    ticks = torch.tensor(norm.ppf((np.arange(n) + 0.5) / n), dtype=torch.float32)
    z = torch.cartesian_prod(-ticks, ticks).flip(-1)  # z₂ falls from the top row down
    with torch.no_grad():
        x = model.decode(z.to(model.device))
    figure, axes = new(size=(width, width), alt=alt)
    axes.imshow(tile(x, n, gap=0), vmin=0, vmax=1, interpolation="none")
    marks = np.array([-1.5, -1, -0.5, 0, 0.5, 1, 1.5])
    spots = norm.cdf(marks) * n * SIDE - 0.5
    labels = [f"{mark:g}".replace("-", "−") for mark in marks]
    axes.set_xticks(spots, labels)
    axes.set_yticks(spots, labels[::-1])
    axes.set(xlabel="z₁", ylabel="z₂")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


class LiveCurves:
    """The curves of a training run, drawn anew while it goes on: fit(…, watch=LiveCurves(alt=…)).

    In a notebook one picture, replaced each time; the saved page holds the last.
    """

    def __init__(self, *, alt: str):
        self.alt = alt
        self.handle = None

    def __call__(self, history: History) -> None:
        """Draw the history so far."""
        figure = curves(history, alt=self.alt)
        plt.close(figure)  # or the cell's end would show it once more
        if self.handle is None:
            self.handle = display(figure, display_id=True)
        else:
            self.handle.update(figure)


def curves(history: History, *, alt: str, size=(7.0, 2.8)) -> Figure:
    """The terms of the loss over the steps, and the validation −ELBO beside the loss."""
    names = [name for name in history.terms if name not in ("loss", "gradient norm")]
    figure, axes = new(1, 1 + len(names), size, alt=alt, sharex=True)
    first, *others = np.atleast_1d(axes)
    first.plot(history.steps, history.terms["loss"], label="training loss")
    if history.valid:
        steps, elbo, stderr = np.array(history.valid).T
        first.errorbar(steps, -elbo, 2 * stderr, fmt="o", ms=3, lw=1, label="validation −ELBO")
    first.set(title="loss", xlabel="step", ylabel=history.unit)
    first.legend()
    # The first stretches are far above the rest; the axis shows what comes after.
    for ax, name in zip([first, *others], ["loss", *names], strict=True):
        values = np.array(history.terms[name])
        settled = values[len(values) // 20 :]
        pad = 0.08 * (settled.max() - settled.min()) + 1e-9
        ax.set_ylim(settled.min() - pad, settled.max() + pad)
    for ax, name, colour in zip(others, names, PALETTE[2:], strict=False):
        ax.plot(history.steps, history.terms[name], color=colour)
        ax.set(title=name, xlabel="step")
    return figure
