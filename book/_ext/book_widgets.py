"""Sliders on the static page: their script, their weights, and an include for prose pages.

A widget's text/html holds a custom element with `data-weights="lw-HASH"` and, beside it, the
decoder's bytes in `<script type="text/plain" id="lw-HASH">`. The bytes go into a small script
file that is loaded when the widget is first seen: a page stays light, a decoder is stored once
however often it is shown, and a script tag, unlike fetch, also works from file://.
"""

import json
import re
from pathlib import Path

from book_execution import ROOT
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

SCRIPT = "vae_widgets.js"
WEIGHTS = re.compile(r'<script type="text/plain" id="(lw-\w+)">([^<]*)</script>\s*')
ELEMENT = re.compile(r'data-weights="#?(lw-\w+)"')
HOST = 'class="vae-host"'


def extract_weights(body: str) -> tuple[str, dict[str, str]]:
    """Take the weights out of a page: (the page without them, {id: bytes in base64})."""
    found = {name: text.strip() for name, text in WEIGHTS.findall(body)}
    return WEIGHTS.sub("", body), found


def point_to_weights(body: str, url_of) -> str:
    """Give each element that names weights the address of their script, `url_of(id)`."""
    return ELEMENT.sub(lambda m: f'{m[0]} data-weights-src="{url_of(m[1])}"', body)


def weights_path(name: str) -> str:
    """Where the script with the weights `name` lies in the site."""
    return f"_static/weights/{name.removeprefix('lw-')}.js"


def weights_script(name: str, text: str) -> str:
    """The script that hands the weights to the widgets of a page."""
    key, value = json.dumps(name), json.dumps(text)
    return f"globalThis.__vaeWeights=globalThis.__vaeWeights||{{}};__vaeWeights[{key}]={value};\n"


def prepare_page(app, page, template, context, doctree) -> None:
    """Move the weights of one page into files, and load the script of the widgets if it has any."""
    body = context.get("body")
    if not body or HOST not in body:
        return
    body, found = extract_weights(body)
    for name, text in found.items():
        file = Path(app.outdir, weights_path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(weights_script(name, text))
    here = app.builder.get_target_uri(page)
    context["body"] = point_to_weights(body, lambda name: relative_uri(here, weights_path(name)))
    app.add_js_file(SCRIPT)  # at once: deferred, the page would move when the controls appear


def write_script(app) -> None:
    """Write the widgets' one script into the site; the package is its only source."""
    if app.builder.format != "html":
        return
    from vaeutil.widgets import page_script

    file = Path(app.outdir, "_static", SCRIPT)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page_script(), encoding="utf-8")


def strip_widget_state(app, env) -> None:
    """Drop the state that myst-nb embeds for a live kernel: the weights a second time, unused."""
    for page in getattr(env, "nb_metadata", {}).values():
        scripts = page.get("js_files", {})
        for key in [key for key in scripts if key.startswith("ipywidgets_")]:
            del scripts[key]


class LatentExplorerDirective(SphinxDirective):
    """`{latent-explorer} NAME`: the explorer of the model in vaeutil/results/NAME.safetensors."""

    required_arguments = 1
    option_spec = {"title": directives.unchanged, "grid": directives.nonnegative_int}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Show the model as a notebook would show it."""
        from vaeutil import models
        from vaeutil.widgets import LatentExplorer

        path = ROOT / "vaeutil" / "results" / f"{self.arguments[0]}.safetensors"
        self.env.note_dependency(str(path))
        widget = LatentExplorer(models.load(path), **self.options)
        return [nodes.raw("", widget.to_html(), format="html")]


def setup(app) -> dict:
    """Register with Sphinx."""
    app.add_directive("latent-explorer", LatentExplorerDirective)
    app.connect("builder-inited", write_script)
    app.connect("env-updated", strip_widget_state)
    app.connect("html-page-context", prepare_page)
    return {"version": "1"}
