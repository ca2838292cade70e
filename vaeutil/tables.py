"""Tables of results, as HTML, which the site, Colab and JupyterLab lay out."""

from collections.abc import Iterable, Sequence
from html import escape

from IPython.display import HTML


def table(head: Sequence, rows: Iterable[Sequence]) -> HTML:
    """A table: `head` names its columns, each of `rows` has a cell for each of them.

    Cells are shown as text, numbers as str gives them. Raises ValueError for a column without a
    name (a screen reader could not tell what its cells are) and for a row of another length.
    """
    lines = [("th", list(head)), *(("td", list(row)) for row in rows)]
    if not lines[0][1] or any(not str(name).strip() for name in head):
        raise ValueError(f"Each column needs a name: {list(head)}.")
    for _, cells in lines:
        if len(cells) != len(head):
            raise ValueError(f"{cells} has {len(cells)} cells, for {len(head)} columns.")
    made = [
        "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) for tag, cells in lines
    ]
    return HTML('<table class="table"><tr>' + "</tr><tr>".join(made) + "</tr></table>")
