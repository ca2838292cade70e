"""The pages of the site, as the table of contents names them."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def contents() -> list[str]:
    """The pages in the order of _toc.yml, without a suffix; the first is the welcome page."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [part["chapters"] for part in toc["parts"]]
    return [toc["root"], *[entry["file"] for chapters in parts for entry in chapters]]


WELCOME, *_ = contents()
CHAPTERS = [name for name in contents() if name.startswith("notebooks/")]
PAGES = [f"{name}.html" for name in [*contents(), "search"]]
