"""`{build-status}`: how long each chapter took to execute, and on what."""

import json
from pathlib import Path

from book_execution import RECORD
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class StatusNode(nodes.General, nodes.Element):
    """Stands for the table until all chapters have been executed."""


class StatusDirective(SphinxDirective):
    """`{build-status}`, without arguments."""

    def run(self) -> list[nodes.Node]:
        """Hold the place."""
        return [StatusNode()]


def table(head: list[str], rows: list[list[nodes.Node]]) -> nodes.table:
    """A plain table; each cell of `rows` is an inline node."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    body = nodes.tbody()
    top = nodes.row("", *[nodes.entry("", nodes.paragraph("", text)) for text in head])
    group += [nodes.thead("", top), body]
    for row in rows:
        body += nodes.row("", *[nodes.entry("", nodes.paragraph("", "", cell)) for cell in row])
    return nodes.table("", group, classes=["colwidths-auto"])


def chapters(env) -> list[tuple[str, str, float]]:
    """(page, title, seconds) of every executed notebook, in the order of the contents."""
    found = []
    for page in sorted(env.nb_metadata):
        data = env.nb_metadata[page].get("exec_data")
        if data and data.get("runtime") is not None:
            found.append((page, env.titles[page].astext(), data["runtime"]))
    return found


def environment_words(record: dict[str, str]) -> str:
    """What the chapters ran on, in one sentence."""
    return (
        f"Executed on {record['machine']}, with Python {record['python']} and torch "
        f"{record['torch']}, in the profile “{record['profile']}”, on the data set "
        f"{record['data']} (sha256 {record['checksum'][:12]}…)."
    )


def fill(app, doctree: nodes.document, docname: str) -> None:
    """Put the table in its place (doctree-resolved)."""
    for node in list(doctree.findall(StatusNode)):
        record = json.loads(Path(app.config.nb_execution_cache_path, RECORD).read_text())
        rows = []
        for page, title, seconds in chapters(app.env):
            uri = app.builder.get_relative_uri(docname, page)
            name = nodes.reference("", title, refuri=uri, internal=True)
            rows.append([name, nodes.Text(f"{seconds:.0f}")])
        words = nodes.paragraph("", environment_words(record))
        node.replace_self([words, table(["Chapter", "Seconds"], rows)] if rows else [words])


def setup(app) -> dict:
    """Register with Sphinx."""
    app.add_node(StatusNode)
    app.add_directive("build-status", StatusDirective)
    app.connect("doctree-resolved", fill)
    return {"version": "1"}
