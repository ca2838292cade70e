"""The line under a chapter's title: download the notebook, open it in Colab.

The repository's address stands in one place, and `make stamp` writes it into the notebooks. The
site keeps the stamped link to Colab, but offers its own copy of the notebook; where the notebook
has no such link, the page says how to take it to Colab.
"""

from docutils import nodes
from sphinx.util.osutil import relative_uri

COLAB = "https://colab.research.google.com"


def stamped_line(doctree: nodes.document) -> nodes.paragraph | None:
    """The paragraph with the badges that `make stamp` writes: the first with a link to Colab."""
    for paragraph in doctree.findall(nodes.paragraph):
        if any(COLAB in link.get("refuri", "") for link in paragraph.findall(nodes.reference)):
            return paragraph
    return None


def colab_url(paragraph: nodes.paragraph | None) -> str:
    """Where Colab opens this notebook; empty where the badges know no address."""
    links = paragraph.findall(nodes.reference) if paragraph is not None else []
    urls = [link.get("refuri", "") for link in links]
    return next((url for url in urls if url.startswith(f"{COLAB}/github/")), "")


def chapter_line(source: str, colab: str) -> nodes.paragraph:
    """`Download this notebook · Open in Colab`, or how to get it there."""
    line = nodes.paragraph(classes=["chapter-line"])
    line += nodes.raw("", f'<a href="{source}" download>Download this notebook</a>', format="html")
    if colab:
        line += nodes.Text(" · ")
        line += nodes.reference("", "Open in Colab", refuri=colab)
    else:
        line += nodes.Text(". To run it in Colab, open ")
        line += nodes.reference("", "colab.research.google.com", refuri=COLAB)
        line += nodes.Text(", choose File, Upload notebook, and give it that file.")
    return line


def add_line(app, doctree: nodes.document, docname: str) -> None:
    """Put the line under the title, and drop the stamped one (doctree-resolved)."""
    path = app.env.doc2path(docname, base=False)
    if app.builder.format != "html" or not str(path).endswith(".ipynb"):
        return
    source = relative_uri(app.builder.get_target_uri(docname), f"_sources/{path}")
    stamped = stamped_line(doctree)
    line = chapter_line(source, colab_url(stamped))
    if stamped is not None:
        stamped.parent.remove(stamped)
    title = doctree.next_node(nodes.title)
    if title is not None:
        title.parent.insert(title.parent.index(title) + 1, line)


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("doctree-resolved", add_line)
    return {"version": "1"}
