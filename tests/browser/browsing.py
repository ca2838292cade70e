"""Pages that remember what went wrong and what they asked for."""

import contextlib


@contextlib.contextmanager
def pages_of(browser):
    """open_page(**options of a browser context) → a page in a context of its own, while it lasts.

    `page.problems` collects console errors and warnings, uncaught exceptions and failed requests;
    `page.requested` every address asked for. Both are lists of strings.
    """
    contexts = []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.problems, page.requested = [], []
        page.on("console", lambda message: note_console(page, message))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: page.requested.append(request.url))
        return page

    yield open_page
    for context in contexts:
        context.close()


def note_console(page, message):
    if message.type in ("error", "warning"):
        page.problems.append(f"{message.type}: {message.text}")
