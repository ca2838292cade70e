"""The site's own files in place of those from other hosts, and repairs to the theme's output."""

import shutil
from importlib import metadata
from pathlib import Path

MATHJAX = "mathjax/tex-mml-chtml.js"
# The fonts, and what MathJax loads when a formula first uses it (\boldsymbol, \cancel, ...).
MATHJAX_FOLDERS = ("output/chtml/fonts/woff-v2", "input/tex/extensions")


def copy_mathjax(app) -> None:
    """Copy the part of MathJax that the pages use out of its Python package (builder-inited)."""
    if app.builder.format != "html":
        return
    package = metadata.distribution("sphinx-mathjax-offline")
    source = Path(package.locate_file("sphinx-mathjax-offline")) / "static" / "mathjax"
    target = Path(app.outdir, "_static", "mathjax")
    for folder in MATHJAX_FOLDERS:
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True)
    shutil.copyfile(source / Path(MATHJAX).name, target / Path(MATHJAX).name)


def is_thebe(script) -> bool:
    """Whether a script belongs to Thebe, which loads from another host and is declared twice."""
    body = script.attributes.get("body") or ""
    return "thebe" in f"{script.filename or ''} {body}".lower()


def drop_thebe(app, page, template, context, doctree) -> None:
    """Leave Thebe out of every page (html-page-context)."""
    context["script_files"] = [s for s in context.get("script_files", []) if not is_thebe(s)]


def empty_icons(app, exception) -> None:
    """Empty the script with 1.5 MB of icons (build-finished); the style sheet has them as fonts."""
    script = Path(app.outdir, "_static", "scripts", "fontawesome.js")
    if exception is None and script.is_file():
        script.write_text("")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", empty_icons)
    return {"version": "1"}
