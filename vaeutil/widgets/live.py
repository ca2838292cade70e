"""Plain ipywidgets in a notebook that also becomes a static page."""

import sys

from IPython.display import display

from vaeutil.widgets._base import Explorable


def show_live(panel, instead: Explorable) -> None:
    """Display `panel`, made of plain ipywidgets; a static page, where it is dead, gets `instead`.

    Both are outputs of one cell: a notebook with a kernel prefers the widgets, the book's page the
    explorable, which needs no kernel. Colab saves no page and gets the widgets alone. Raises
    TypeError for a panel that is no widget.
    """
    if not hasattr(panel, "comm"):
        raise TypeError(f"show_live takes an ipywidget, not {type(panel).__name__}.")
    data = dict(panel._repr_mimebundle_())
    if "google.colab" not in sys.modules:
        data["text/html"] = instead.to_html()
    display(data, raw=True)
