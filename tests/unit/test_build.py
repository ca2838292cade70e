"""What makes the book execute and build again, and what must never get into it."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from sphinx.errors import ExtensionError

from vaeutil import data

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "book" / folder) for folder in ("_ext", "_tools")]

import book_ahead  # noqa: E402
import book_execution  # noqa: E402
import build  # noqa: E402
import install  # noqa: E402


@pytest.fixture
def clone(tmp_path, monkeypatch, blobs):
    """A small stand-in for the repository, in the profile "book", with images made on the spot."""
    monkeypatch.setenv("VAEUTIL_PROFILE", "book")
    monkeypatch.setattr(data, "load_images", lambda: blobs)
    for name in (
        "requirements.txt",
        "_config.yml",
        "_toc.yml",
        "book/welcome.md",
        "book/assets/book.css",
        "notebooks/05_vae.ipynb",
        "vaeutil/models.py",
        "vaeutil/results/hero.safetensors",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    return tmp_path


def cache(clone):
    return book_execution.cache_folder(book_execution.environment(clone), clone)


def state(clone):
    return build.state(book_execution.environment(clone), clone)


@pytest.mark.parametrize(
    "name", ["vaeutil/models.py", "vaeutil/results/hero.safetensors", "requirements.txt"]
)
def test_a_change_beside_the_notebooks_executes_them_again(clone, name):
    before = cache(clone), state(clone)
    (clone / name).write_text("after")
    assert cache(clone) != before[0]
    assert state(clone) != before[1]


@pytest.mark.parametrize(
    "name", ["book/welcome.md", "book/assets/book.css", "_toc.yml", "_config.yml"]
)
def test_a_change_of_a_page_or_an_asset_builds_but_executes_nothing(clone, name):
    before = cache(clone), state(clone)
    (clone / name).write_text("after")
    assert cache(clone) == before[0]
    assert state(clone) != before[1]


def test_a_new_a_renamed_and_a_removed_result_are_changes(clone):
    results = clone / "vaeutil" / "results"
    folders = [cache(clone)]
    (results / "vae.json").write_text("{}")
    folders.append(cache(clone))
    (results / "vae.json").rename(results / "ae.json")
    folders.append(cache(clone))
    assert len(set(folders)) == 3
    (results / "ae.json").unlink()
    assert cache(clone) == folders[0]


def test_compiled_files_are_no_change(clone):
    before = cache(clone)
    (clone / "vaeutil" / "__pycache__").mkdir()
    (clone / "vaeutil" / "__pycache__" / "models.pyc").write_text("x")
    assert cache(clone) == before


def test_another_profile_and_other_data_execute_again(clone, monkeypatch, blobs):
    folders = {cache(clone)}
    monkeypatch.setenv("VAEUTIL_PROFILE", "full")
    folders.add(cache(clone))
    fewer = data.Images("blobs", blobs.train[:10], blobs.valid, blobs.test, blobs.provenance)
    monkeypatch.setattr(data, "load_images", lambda: fewer)
    folders.add(cache(clone))
    assert len(folders) == 3


def test_a_smoke_run_is_refused(clone, monkeypatch):
    monkeypatch.setenv("VAEUTIL_PROFILE", "smoke")
    with pytest.raises(ExtensionError, match="VAEUTIL_PROFILE is smoke"):
        book_execution.environment(clone)
    with pytest.raises(SystemExit, match="cannot be built: VAEUTIL_PROFILE is smoke"):
        build.main()


def test_old_caches_go_and_the_record_of_the_machine_stays(clone):
    found = book_execution.environment(clone)
    folders = []
    for number, torch in enumerate(("2.1", "2.2", "2.3")):
        folder = book_execution.open_cache({**found, "torch": torch}, clone)
        (folder / "global.db").write_text("outputs")
        stamp = 1_000_000_000 + number
        book_execution.os.utime(folder, (stamp, stamp))
        folders.append(folder)
    assert [folder.exists() for folder in folders] == [False, True, True]
    record = folders[1] / book_execution.RECORD
    record.write_text("executed elsewhere")
    book_execution.open_cache({**found, "torch": "2.2"}, clone)
    assert record.read_text() == "executed elsewhere"
    book_execution.open_cache({**found, "torch": "2.4"}, clone)
    assert [folder.exists() for folder in folders] == [False, True, False]


def test_installing_depends_on_the_pins_on_torch_and_on_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "ROOT", tmp_path)
    pins, project = tmp_path / "requirements.txt", tmp_path / "pyproject.toml"
    pins.write_text("torch==2.13.0")
    project.write_text("[project]")
    prints = [install.fingerprint(pins, ""), install.fingerprint(pins, "cpu")]
    project.write_text("[project] # other")
    prints.append(install.fingerprint(pins, ""))
    pins.write_text("torch==2.13.1")
    prints.append(install.fingerprint(pins, ""))
    assert len(set(prints)) == 4


def test_an_unknown_torch_is_refused(monkeypatch):
    monkeypatch.setenv("TORCH", "gpu")
    with pytest.raises(SystemExit, match="say TORCH=cpu"):
        install.main()


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned(name):
    lines = [
        line for line in (ROOT / name).read_text().splitlines() if not line.startswith(("#", "-e"))
    ]
    assert lines
    assert all(line.count("==") == 1 and line == line.lower() for line in lines)


def test_notebooks_run_side_by_side_and_only_those_that_are_not_in_the_cache(tmp_path):
    from jupyter_cache import get_cache

    names = ("one", "two", "bad")
    for name in names:
        source = "raise RuntimeError" if name == "bad" else f"import time; print({name!r})"
        cells = [nbformat.v4.new_code_cell(source)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    config = SimpleNamespace(
        nb_execution_cache_path=str(tmp_path / "cache"),
        nb_execution_timeout=60,
        external_site_map=dict.fromkeys([*names, "page"]),
    )
    book_ahead.execute_ahead(SimpleNamespace(config=config, srcdir=tmp_path))
    cache = get_cache(config.nb_execution_cache_path)
    left = book_ahead.absent(cache, [tmp_path / f"{name}.ipynb" for name in names])
    assert [path.stem for path in left] == ["bad"]
    notebook = nbformat.read(tmp_path / "two.ipynb", as_version=4)
    _, executed = cache.merge_match_into_notebook(notebook)
    assert executed.cells[0].outputs[0].text == "two\n"


def test_a_failing_cell_and_a_dangling_reference_fail_the_build(tmp_path):
    """With the book's own configuration; the traceback is shown."""
    for name in ("_config.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("_ext", "assets"):
        shutil.copytree(ROOT / "book" / name, tmp_path / "book" / name)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: welcome\nchapters: [{file: bad}]\n")
    (tmp_path / "welcome.md").write_text("# Welcome\n\nSee Figure 9.9.\n")
    cells = [
        nbformat.v4.new_markdown_cell("# Bad"),
        nbformat.v4.new_code_cell("raise RuntimeError('the two sides ' + 'differ')"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "bad.ipynb")
    command = [Path(sysconfig.get_path("scripts"), "jupyter-book"), "build", tmp_path]
    done = subprocess.run(
        [*command, "-W", "-n", "--keep-going"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode != 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)
    assert "RuntimeError: the two sides differ" in shown
    assert "Figure 9.9 leads nowhere" in shown
