"""One line of progress, which replaces itself."""

import sys

from IPython import get_ipython
from IPython.display import display


class Progress:
    """Show the newest line only: in a notebook's cell, on a terminal, or, elsewhere, at the end.

    In a notebook the line is one output that is updated, so a saved page keeps just the last.
    """

    def __init__(self, show: bool = True):
        self.line = ""
        self.show = show
        self.handle = None
        self.notebook = getattr(get_ipython(), "kernel", None) is not None

    def update(self, line: str) -> None:
        """Replace the line shown by this one."""
        width = len(self.line)
        self.line = line
        if not self.show:
            return
        if self.notebook:
            data = {"text/plain": line}
            if self.handle is None:
                self.handle = display(data, raw=True, display_id=True)
            else:
                self.handle.update(data, raw=True)
        elif sys.stderr.isatty():
            print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last line where it is and start a new one."""
        if self.show and not self.notebook and self.line:
            end = "\n" if sys.stderr.isatty() else f"{self.line}\n"
            print(end, end="", file=sys.stderr, flush=True)
