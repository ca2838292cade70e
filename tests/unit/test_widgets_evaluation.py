import json

import numpy as np
import pytest
import traitlets as t

from vaeutil.experiments import result
from vaeutil.published import PUBLISHED
from vaeutil.widgets import NestedSamples, NumberRuler
from vaeutil.widgets.nested import from_result

ROWS = [
    {"label": "one", "data": "dynamic", "measure": "nll", "value": 87.0},
    {"label": "two", "data": "static", "measure": "nll", "value": 89.0},
    {"label": "all", "data": "any", "measure": "any", "value": 206.0},
]
SCALE = {"floor": 45.5, "alone": 206.0}
MODEL = {
    "label": "a model",
    "k": [1, 10, 100],
    "nll": [95.0, 92.0, 91.0],
    "excess": [4.0, 1.0, 0.0],
    "se": [0.1, 0.05, 0.0],
    "far": [1.0, 0.5, 0.0],
}


def test_the_ruler_shows_rows_of_its_kind_in_order():
    ruler = NumberRuler(ROWS, **SCALE, measure="nll")
    assert ruler.shown() == [("one", 87.0), ("your number", 95.0), ("all", 206.0)]
    ruler.data, ruler.value = "static", 80.0
    assert ruler.shown() == [("your number", 80.0), ("two", 89.0), ("all", 206.0)]
    picture, alt = ruler.picture()
    assert picture.dtype == np.uint8
    assert picture.ndim == 2
    assert "two 89.00" in alt
    assert "one" not in alt.split(":")[1]
    assert json.dumps(ruler.options)


def test_the_ruler_refuses():
    for rows, words in (([], "at least one"), ([{**ROWS[0], "data": "grey"}], "no known kind"),
                        ([{**ROWS[0], "value": -1.0}], "no known kind")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            NumberRuler(rows, **SCALE)
    with pytest.raises(ValueError, match="0 < floor < alone"):
        NumberRuler(ROWS, floor=300.0, alone=206.0)
    ruler = NumberRuler(ROWS, **SCALE)
    for name, bad in (("value", 0.0), ("value", float("inf")), ("data", "grey"), ("measure", "x")):
        with pytest.raises(t.TraitError):
            setattr(ruler, name, bad)


def test_published_numbers_are_of_known_kinds():
    for row in PUBLISHED:
        assert row.data in ("dynamic", "static")
        assert row.measure in ("nll", "negative elbo")
        assert 75 < row.value < 110
        assert row.url.startswith("https://")
        assert (row.samples == 0) or row.measure == "nll"


def test_nested_samples():
    shown = NestedSamples([MODEL, {**MODEL, "label": "exact", "exact": 90.0}], at=1)
    picture, alt = shown.picture()
    assert picture.ndim == 2
    assert "from 95.00 nats at k = 1 to 91.00 at k = 100." in alt
    shown.model = 1
    assert "the exact value is 90.00" in shown.picture()[1]
    for name, bad in (("at", 3), ("at", -1), ("model", 2)):
        with pytest.raises(t.TraitError):
            setattr(shown, name, bad)


def test_nested_samples_refuses():
    for models, words in (
        ([], "At least one"),
        ([{**MODEL, "se": [0.1]}], "one number each"),
        ([{**MODEL, "k": [1, 100, 10]}], "rising k"),
        ([MODEL, {**MODEL, "k": [1, 10, 50]}], "same list"),
    ):
        with pytest.raises(ValueError, match=words):
            NestedSamples(models)


def test_the_stored_nested_samples_are_ordered():
    """The same weights in larger blocks: never a higher NLL, and a standard error beside it."""
    models = from_result(result("nested"), {"vae": "20", "hero": "2"})
    for model in models:
        assert model["k"][0] == 1
        assert model["k"][-1] == 5_000
        assert model["nll"] == sorted(model["nll"], reverse=True)
        assert model["excess"][-1] == 0
        assert all(se > 0 for se in model["se"][:-1])
    assert models[0]["exact"] is None
    assert models[1]["exact"] < models[1]["nll"][-1]
