"""A page of explorers, written to a folder as the book's extension writes its pages."""

import re
from pathlib import Path

from vaeutil.widgets import page_script

SCRIPT = re.compile(r'<script type="text/plain" id="(lw-\w+)">([^<]*)</script>')

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Explorers</title>
<style>body {{ font-family: sans-serif; max-width: 46rem; margin: auto; padding: 0 1rem; }}</style>
<script src="vae_widgets.js"></script>
</head>
<body><main><h1>Explorers</h1>
{body}
<p>The end.</p></main></body>
</html>
"""


def write_page(folder: Path, explorers, *, inline: bool = False, gap: str = "") -> Path:
    """index.html with the explorers, `gap` between them; weights inline or in weights/*.js."""
    body = gap.join(e._repr_mimebundle_()[0]["text/html"] for e in explorers)
    if not inline:
        (folder / "weights").mkdir(exist_ok=True)
        for key, text in SCRIPT.findall(body):
            (folder / "weights" / f"{key}.js").write_text(
                "globalThis.__vaeWeights=globalThis.__vaeWeights||{};"
                f'__vaeWeights["{key}"]="{text}";'
            )
        body = SCRIPT.sub("", body)
        body = re.sub(
            r'data-weights="(lw-\w+)"', r'\g<0> data-weights-src="weights/\g<1>.js"', body
        )
    (folder / "vae_widgets.js").write_text(page_script(), encoding="utf-8")
    (folder / "index.html").write_text(PAGE.format(body=body), encoding="utf-8")
    return folder / "index.html"
