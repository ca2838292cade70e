"""How many bytes a page loads: before an explorable is seen, and when all of them have been."""

import gzip

KINDS = {"document": "html", "script": "scripts", "stylesheet": "styles"}


def kind(response) -> str:
    """ "html", "scripts", "styles", "weights" (of the decoders) or "other" (fonts, pictures)."""
    if "/weights/" in response.url:
        return "weights"
    return KINDS.get(response.request.resource_type, "other")


def totals(loaded: list[tuple[str, bytes]]) -> dict[str, int]:
    """Bytes of each kind, their sum "total", and that sum as a host sends it, "compressed"."""
    found = dict.fromkeys((*KINDS.values(), "weights", "other"), 0)
    for what, body in loaded:
        found[what] += len(body)
    compressed = sum(len(gzip.compress(body, 6)) for _, body in loaded)
    return {**found, "total": sum(found.values()), "compressed": compressed}


def weigh(page, address: str) -> dict[str, dict[str, int]]:
    """Load an address in a page that has loaded nothing yet: {"before": totals, "after": totals}.

    "before": what is there when the page has come to rest at its top; explorables near the top
    are then seen already. "after": when every explorable has been scrolled to.
    """
    responses = []
    page.on("response", lambda response: responses.append(response))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    bodies = [(kind(response), response.body()) for response in responses]
    before = len(bodies)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for explorable in page.locator(".vae-host").all():
        explorable.scroll_into_view_if_needed()
        explorable.locator(".vae-explorer").first.wait_for()
    page.wait_for_load_state("networkidle")
    bodies += [(kind(response), response.body()) for response in responses[before:]]
    return {"before": totals(bodies[:before]), "after": totals(bodies)}
