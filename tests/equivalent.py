"""Mutants of the sample that do what the program does, by name, each with the reason."""

EQUIVALENT: dict[str, str] = {
    "0b29dd8f": "51 samples of an image held at once, not 50: other draws of the same law",
}
