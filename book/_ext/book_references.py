"""Tagged equations, and links to equations, figures and exercises.

Notebooks are read in four places, so they hold plain Markdown: an equation carries `\\tag{5.3}`,
a caption begins `**Figure 5.2.**`, an exercise has a heading `### Exercise 5.1`, and the text says
Eq. (5.3), Figure 5.2, Exercise 5.1. On the site these words become links, across chapters too.
"""

import re
from typing import NamedTuple

from docutils import nodes
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
TAG = re.compile(r"\\tag\{(\d+\.\d+)\}")
CAPTION = re.compile(r"(Figure|Exercise) (\d+\.\d+)")
# A space may be a no-break space.
MENTION = re.compile(r"Eqs?\.\s\((\d+\.\d+)\)|(Figure|Exercise)\s(\d+\.\d+)")


class Piece(NamedTuple):
    """A stretch of text, and the (kind, number) it refers to, if any."""

    text: str
    target: tuple[str, str] | None


def anchor(kind: str, number: str) -> str:
    """The id in the page of an equation, a figure or an exercise: ("eq", "5.3") → "eq-5-3"."""
    return f"{kind}-{number.replace('.', '-')}"


def split_mentions(text: str) -> list[Piece]:
    """Cut a text into pieces with and without a reference."""
    pieces, end = [], 0
    for match in MENTION.finditer(text):
        kind = match[2].lower() if match[2] else "eq"
        pieces += [
            Piece(text[end : match.start()], None),
            Piece(match[0], (kind, match[1] or match[3])),
        ]
        end = match.end()
    pieces.append(Piece(text[end:], None))
    return [piece for piece in pieces if piece.text]


def unwrap(text: str) -> str:
    r"""A tagged equation as MathJax needs it: Sphinx would put `split` around every `\\`."""
    return f"\\[{text.strip()}\\]"


def captioned(node: nodes.Node) -> tuple[str, str] | None:
    """The figure or the exercise that a paragraph in bold, or a heading, introduces."""
    if isinstance(node, nodes.section):
        match = CAPTION.match(node.next_node(nodes.title).astext())
        return ("exercise", match[2]) if match and match[1] == "Exercise" else None
    if isinstance(node, nodes.paragraph):
        first = next((child for child in node.children if child.astext()), None)
        match = CAPTION.match(first.astext()) if isinstance(first, nodes.strong) else None
        return (match[1].lower(), match[2]) if match else None
    return None


def place_of(node: nodes.Node) -> nodes.Element:
    """What a link should lead to: for a caption, the code cell above it that drew the figure."""
    if isinstance(node, nodes.paragraph):
        above = node.previous_sibling()
        if isinstance(above, nodes.container) and "cell" in above["classes"]:
            return above
    return node


def collect(app, doctree: nodes.document) -> None:
    """Give anchors to everything that has a number, and remember where it is (doctree-read)."""
    env = app.env
    anchors = env.__dict__.setdefault("book_anchors", {})
    found = []
    for block in doctree.findall(nodes.math_block):
        if match := TAG.search(block.astext()):
            block.children = [nodes.Text(unwrap(block.astext()))]
            block["nowrap"] = True
            found.append((("eq", match[1]), block))
    for node in doctree.findall(lambda n: isinstance(n, nodes.section | nodes.paragraph)):
        if target := captioned(node):
            found.append((target, place_of(node) if target[0] == "figure" else node))
    for target, node in found:
        if target in anchors:
            LOGGER.warning("%s %s is defined twice", *target, location=node, type="book")
        node["ids"].append(anchor(*target))
        anchors[target] = env.docname


def forget(app, env, docname: str) -> None:
    """Drop what a page that is read again had defined (env-purge-doc)."""
    anchors = env.__dict__.setdefault("book_anchors", {})
    for target in [key for key, where in anchors.items() if where == docname]:
        del anchors[target]


def is_prose(text: nodes.Text) -> bool:
    """Whether a text may become a link: it is no code, heading or link, no caption's own name."""
    node = text.parent
    while node is not None:
        if isinstance(
            node,
            nodes.literal
            | nodes.literal_block
            | nodes.reference
            | nodes.title
            | nodes.raw
            | nodes.math
            | nodes.math_block
            | nodes.comment,
        ):
            return False
        if isinstance(node, nodes.strong) and captioned(node.parent):
            return False
        node = node.parent
    return True


def resolve(text: str, anchors: dict, uri_of) -> tuple[list[nodes.Node], list[str]]:
    """The nodes of a text with its references as links, and the references that lead nowhere.

    `anchors` maps (kind, number) to the page that defines it, `uri_of` a page to its address.
    """
    out, missing = [], []
    for piece in split_mentions(text):
        node = nodes.Text(piece.text)
        if piece.target and piece.target not in anchors:
            missing.append(piece.text)
        elif piece.target:
            uri = f"{uri_of(anchors[piece.target])}#{anchor(*piece.target)}"
            node = nodes.reference("", "", node, refuri=uri, internal=True, classes=["book-ref"])
        out.append(node)
    return out, missing


def link(app, doctree: nodes.document, docname: str) -> None:
    """Turn references into links once all pages are known (doctree-resolved)."""
    if app.builder.format != "html":
        return
    anchors = app.env.__dict__.get("book_anchors", {})
    for text in list(doctree.findall(nodes.Text)):
        if not MENTION.search(text) or not is_prose(text):
            continue
        out, missing = resolve(
            text.astext(), anchors, lambda to: app.builder.get_relative_uri(docname, to)
        )
        for name in missing:
            LOGGER.warning("%s leads nowhere", name, location=text.parent, type="book")
        text.parent.replace(text, out)


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-resolved", link)
    return {"version": "1"}
