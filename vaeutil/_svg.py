"""matplotlib figures as inline SVG that takes the page's own text colour."""

import base64
import hashlib
import html
import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image, ImageChops

# Everything drawn in this colour becomes the text colour of the page, light or dark. Black would
# not do: matplotlib leaves black out of the SVG.
INK = "#010203"

# Six colours with a contrast of at least 3 : 1 on white and on a dark page, told apart by the
# colour-blind as well (their lightness differs).
PALETTE = ("#2f7ed8", "#d9661f", "#159c74", "#c2569b", "#8a7a1c", "#7f7f7f")

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.alpha": 0.18,
    "grid.color": INK,
    "image.cmap": "gray",
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "patch.edgecolor": INK,
    "savefig.facecolor": "none",
    "svg.fonttype": "path",  # a page's font has other widths than the one the layout was made for
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 9,
    "ytick.color": INK,
    "ytick.labelsize": 9,
}


def to_html(figure: Figure) -> str:
    """The figure as one `<div>` with an SVG, named by the figure's label for screen readers.

    Raises ValueError when the figure has no label: a picture needs words.
    """
    alt = figure.get_label()
    if not alt:
        raise ValueError("This figure has no alt text; make it with figures.new(..., alt='…').")
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": alt}):  # the same figure gives the same bytes
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r"(?<=data:image/png;base64,)[\w+/=\s]+", lambda m: _slim(m[0]), svg)
    # Ids are unique within a page only if each figure brings its own prefix.
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{prefix}-", svg)
    width = figure.get_figwidth() * figure.get_dpi()
    head = f'<svg role="img" aria-label="{html.escape(alt, quote=True)}" '
    head += 'style="width:100%;height:auto;display:block" '
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return f'<div class="vae-figure" style="max-width:{width:.0f}px">{head}{svg[5:]}</div>'


def _slim(png: str) -> str:
    """A PNG in base64, with one channel where matplotlib wrote three alike: a quarter the bytes."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    red, green, blue, alpha = image.split()
    if ImageChops.difference(red, green).getbbox() or ImageChops.difference(red, blue).getbbox():
        return png
    opaque = alpha.getextrema() == (255, 255)
    buffer = io.BytesIO()
    (red if opaque else Image.merge("LA", (red, alpha))).save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
