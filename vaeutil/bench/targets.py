"""What the project set itself, and what is said of a measured figure."""


def judged(
    what: str,
    unit: str,
    target: float,
    measured: float | None,
    *,
    least: bool = False,
    note: str = "",
) -> dict:
    """A row: the figure, its target, and the "verdict": reached, MISSED or not measurable here.

    measured: None where this machine cannot say; `note` then says why. least: whether the target
    is the least that is wanted, instead of the most.
    """
    if measured is None:
        verdict = "not measurable here"
    else:
        reached = measured >= target if least else measured <= target
        verdict = "reached" if reached else "MISSED"
    return {
        "what": what,
        "unit": unit,
        "target": target,
        "wanted": "at least" if least else "at most",
        "measured": measured,
        "verdict": verdict,
        "note": note,
    }
