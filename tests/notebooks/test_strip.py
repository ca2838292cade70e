import chapters
import nbformat
import pytest
import sample
import strip


@pytest.fixture
def path(tmp_path):
    """A notebook as an editor leaves it."""
    notebook = sample.notebook()
    cell = sample.find(notebook, "half = 0.5")
    cell.outputs = [nbformat.v4.new_output("stream", text="0.5")]
    cell.execution_count = 7
    cell.metadata.update({"collapsed": True, "executionInfo": {"elapsed": 3}, "scrolled": True})
    picture = sample.find(notebook, "# @title A line")
    picture.metadata = nbformat.from_dict({"tags": ["hide-input"], "cellView": "code"})
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "x", "display_name": "mine"}})
    path = tmp_path / sample.NAME
    nbformat.write(notebook, path)
    return path


def test_check_changes_nothing(path, capsys):
    before = path.read_bytes()
    assert strip.main(["--check", str(path)]) == 1
    assert "run `make format`" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_strip_leaves_the_normal_form(path):
    ids = [cell.id for cell in chapters.read(path).cells]
    assert strip.main([str(path)]) == 0
    assert strip.main(["--check", str(path)]) == 0
    notebook = chapters.read(path)
    assert [cell.id for cell in notebook.cells] == ids
    assert notebook.metadata == strip.METADATA
    half = sample.find(notebook, "half = 0.5")
    assert (half.outputs, half.execution_count, half.metadata) == ([], None, {})
    picture = sample.find(notebook, "# @title A line").metadata
    assert picture == {"tags": ["hide-input"], **strip.FOLDING}
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n "cells"')
    assert text.endswith("}\n")


def test_an_open_cell_keeps_no_mark_of_folding(path):
    notebook = chapters.read(path)
    cell = sample.find(notebook, "half = 0.5")
    cell.metadata = nbformat.from_dict({"cellView": "form", "jupyter": {"source_hidden": True}})
    assert sample.find(strip.stripped(notebook), "half = 0.5").metadata == {}


def test_a_cell_without_an_id_gets_one():
    notebook = sample.notebook()
    del notebook.cells[3]["id"]
    assert strip.stripped(notebook).cells[3].id


def test_an_old_notebook_gets_ids(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# A"]}],'
        ' "metadata": {}, "nbformat": 4, "nbformat_minor": 2}'
    )
    strip.main([str(path)])
    notebook = chapters.read(path)
    assert notebook.nbformat_minor == 5
    assert notebook.cells[0].id
    assert strip.main(["--check", str(path)]) == 0


@pytest.mark.parametrize("path", chapters.paths(), ids=lambda path: path.stem)
def test_the_book(path):
    assert chapters.text(strip.stripped(chapters.read(path))) == path.read_text(encoding="utf-8")
