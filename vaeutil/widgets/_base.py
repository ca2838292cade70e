"""What every explorable shares: one JavaScript source, and its way into a notebook or a page.

The same source files serve both places. In a live notebook they end with the adapter notebook.js
and travel as the widget's module; on a static page they end with page.js, which defines a custom
element for each explorable.
"""

import base64
import hashlib
import html
import io
import json
import sys
from pathlib import Path

import anywidget
import numpy as np
import traitlets as t
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

STATIC = Path(__file__).with_name("static")
# The foundation first, then one file for each explorable.
SOURCES = (
    "bundle.js",
    "decoder.js",
    "flow.js",
    "controls.js",
    "plot.js",
    "pad.js",
    "explorer.js",
    "blur.js",
    "pen.js",
    "draw.js",
    "planes.js",
    "tradeoff.js",
    "water.js",
    "bells.js",
    "humps.js",
    "ruler.js",
    "nested.js",
    "bound-model.js",
    "bound.js",
    "rain.js",
    "importance.js",
    "layers.js",
    "hand.js",
    "completion.js",
    "priors.js",
    "flow-prior.js",
    "posterior.js",
    "prices.js",
    "weighted-model.js",
    "weighted.js",
    "two-hills.js",
    "losslab.js",
    "same.js",
)
STYLE = (STATIC / "style.css").read_text(encoding="utf-8")


def library() -> str:
    """The JavaScript that both adapters share: statements, to be put inside a module."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SOURCES)


def page_script() -> str:
    """The whole of the script that a static page loads once: it brings every explorable to life.

    A classic script without imports, so that it also runs from file://.
    """
    page = (STATIC / "page.js").read_text(encoding="utf-8")
    style = f"const STYLE = {json.dumps(STYLE)};"
    return "\n".join(["(() => {", '"use strict";', style, library(), page, "})();", ""])


def _module() -> str:
    return library() + "\n" + (STATIC / "notebook.js").read_text(encoding="utf-8")


class Explorable(anywidget.AnyWidget):
    """An anywidget that is also a custom element on a static page.

    A subclass sets `tag` (the element's name, under which its JavaScript registers itself) and
    `moves` (the names of its traits that the reader moves), and defines `picture`.
    `options` are fixed at construction and reach the JavaScript as they are; `weights` is a
    bundle of bytes, stored once on a page however often it is shown; empty where there is none.
    """

    _esm = _module()
    _css = STYLE

    tag = t.Unicode().tag(sync=True)
    moves = t.List(t.Unicode()).tag(sync=True)
    options = t.Dict().tag(sync=True)
    weights = t.Bytes().tag(sync=True)

    def picture(self) -> tuple[np.ndarray, str]:
        """What a reader without JavaScript sees: grey levels uint8 [height, width], alt text."""
        raise NotImplementedError

    def to_html(self) -> str:
        """The custom element, with the picture inside, and the weights in a script after it."""
        grey, alt = self.picture()
        file = io.BytesIO()
        Image.fromarray(grey).save(file, "png", optimize=True)
        height, width = grey.shape
        state = {name: getattr(self, name) for name in self.moves}
        named, script = "", ""
        if self.weights:
            key = "lw-" + hashlib.sha256(self.weights).hexdigest()[:16]
            named = f'data-weights="{key}" '
            script = f'<script type="text/plain" id="{key}">{_base64(self.weights)}</script>'
        return (
            f'<{self.tag} class="vae-host" {named}data-options="{_attribute(self.options)}" '
            f'data-state="{_attribute(state)}" style="display: block; margin: 1rem 0">'
            f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
            'style="display: block; max-width: 100%; height: auto" '
            f'src="data:image/png;base64,{_base64(file.getvalue())}"></{self.tag}>' + script
        )

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        # Colab saves no live widgets and is never the source of a static page: no second output.
        if "google.colab" not in sys.modules:
            data["text/html"] = self.to_html()
        return data, metadata


def sketch(figure: Figure) -> np.ndarray:
    """A matplotlib figure as grey levels, for an explorable's `picture`: uint8 [height, width]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("L"))


def _attribute(value) -> str:
    return html.escape(json.dumps(value), quote=True)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
