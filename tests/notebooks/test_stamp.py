import ast
import subprocess

import chapters
import pytest
import sample
import stamp

URL = "https://github.com/reader/book"


@pytest.fixture
def clone(tmp_path):
    """A repository with two notebooks, no address yet."""
    (tmp_path / "notebooks").mkdir()
    for name in ("05_sample.ipynb", "06_other.ipynb"):
        path = tmp_path / "notebooks" / name
        path.write_text(chapters.text(sample.notebook()), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def configure(root, text):
    (root / "_config.yml").write_text(f"repository:\n  {text}\n", encoding="utf-8")


def add_remote(root, url):
    subprocess.run(["git", "-C", root, "remote", "add", "origin", url], check=True)


def run(root, monkeypatch, *arguments):
    monkeypatch.setattr(chapters, "ROOT", root)
    monkeypatch.setattr(chapters.paths, "__defaults__", (root,))
    return stamp.main(list(arguments))


def sources(root, name="05_sample.ipynb"):
    return [cell.source for cell in chapters.read(root / "notebooks" / name).cells]


@pytest.mark.parametrize(
    "given",
    [
        URL,
        URL + ".git",
        URL + "/",
        "https://someone:secret@github.com/reader/book.git",
        "http://github.com/reader/book",
        "git@github.com:reader/book.git",
        "ssh://git@github.com:22/reader/book.git",
    ],
)
def test_one_normal_form(given):
    assert stamp.normal(given) == URL


def test_a_port_of_https_stays():
    assert stamp.normal("https://git.example.org:8443/a/b") == "https://git.example.org:8443/a/b"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "/srv/book",
        "../book",
        "C:/book",
        "file:///srv/book",
        "git@work:book.git",
        "http://localhost/book",
        "http://127.0.0.1:3000/reader/book.git",
        "https://github.com",
    ],
)
def test_what_is_no_address(given):
    assert stamp.normal(given) is None


def test_configuration_comes_before_the_remote(clone):
    add_remote(clone, "git@gitlab.com:other/book.git")
    assert stamp.address(clone) == "https://gitlab.com/other/book"
    configure(clone, f"url: {URL}")
    assert stamp.address(clone) == URL
    configure(clone, "branch: main")
    assert stamp.address(clone) == "https://gitlab.com/other/book"


def test_a_wrong_configuration_is_an_error(clone):
    configure(clone, "url: reader/book")
    with pytest.raises(ValueError, match="is no address"):
        stamp.address(clone)


def test_stamp_writes_badges_and_setup(clone, monkeypatch):
    configure(clone, f"url: {URL}")
    assert run(clone, monkeypatch, "--check") == 1
    assert run(clone, monkeypatch) == 0
    assert run(clone, monkeypatch, "--check") == 0
    badges, *rest = sources(clone)
    path = "blob/main/notebooks/05_sample.ipynb"
    assert f"(https://colab.research.google.com/github/reader/book/{path})" in badges
    assert f"({URL}/raw/main/notebooks/05_sample.ipynb)" in badges
    assert f'repository = "{URL}"' in rest[1]


def test_stamp_twice_changes_nothing_and_going_back_is_exact(clone, monkeypatch):
    before = {path: path.read_bytes() for path in chapters.paths(clone)}
    assert run(clone, monkeypatch) == 0
    assert {path: path.read_bytes() for path in chapters.paths(clone)} == before
    configure(clone, f"url: {URL}")
    run(clone, monkeypatch)
    stamped = {path: path.read_bytes() for path in chapters.paths(clone)}
    assert stamped != before
    run(clone, monkeypatch)
    assert {path: path.read_bytes() for path in chapters.paths(clone)} == stamped
    (clone / "_config.yml").unlink()
    run(clone, monkeypatch)
    assert {path: path.read_bytes() for path in chapters.paths(clone)} == before


def test_no_address_no_dead_badge(clone):
    assert stamp.address(clone) is None
    badges, *rest = sources(clone)
    assert "Upload notebook" in badges
    assert "Open in Colab" not in badges
    assert 'repository = ""' in rest[1]


def test_only_github_opens_in_colab():
    badges = stamp.badges("https://gitlab.com/reader/book", "notebooks/a.ipynb")
    assert "https://gitlab.com/reader/book/raw/main/notebooks/a.ipynb" in badges
    assert "Open in Colab" not in badges
    assert "Upload notebook" in badges


def test_the_branch_is_in_the_badges(clone, monkeypatch):
    configure(clone, f"url: {URL}\n  branch: trunk")
    run(clone, monkeypatch)
    assert "/blob/trunk/notebooks/" in sources(clone)[0]


def test_readme_badges(clone, monkeypatch):
    readme = clone / "README.md"
    readme.write_text("# Book\n\n<!-- badges -->\n<!-- /badges -->\n\nText\n", encoding="utf-8")
    before = readme.read_text(encoding="utf-8")
    run(clone, monkeypatch)
    assert readme.read_text(encoding="utf-8") == before
    configure(clone, f"url: {URL}")
    assert "README.md: not stamped" in "\n".join(stamp.check(clone))
    run(clone, monkeypatch)
    text = readme.read_text(encoding="utf-8")
    assert text.count("Open in Colab") == 2
    assert text.endswith("<!-- /badges -->\n\nText\n")


def test_check_finds_one_notebook_left_behind(clone, monkeypatch):
    path = clone / "notebooks" / "06_other.ipynb"
    text = path.read_text(encoding="utf-8")
    add_remote(clone, URL)
    run(clone, monkeypatch)
    assert stamp.check(clone) == []
    path.write_text(text, encoding="utf-8")
    assert stamp.check(clone) == [
        f"notebooks/06_other.ipynb: not stamped with {URL}; run `make stamp`"
    ]


def test_a_mirror_is_no_reason_to_fail(clone):
    add_remote(clone, "https://mirror.example.org/book.git")
    assert stamp.check(clone) == []


def test_check_finds_a_setup_cell_of_somebody_s_own(clone):
    path = clone / "notebooks" / "05_sample.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("import sys", "import os, sys"))
    assert len(stamp.check(clone)) == 1


def test_the_setup_cell_is_short_code():
    ast.parse(stamp.setup(URL))
    assert len(stamp.setup(URL).splitlines()) <= 30
    assert stamp.setup(URL).startswith("# @title ")
    assert stamp.setup(URL) != stamp.setup(None)


def test_the_book():
    assert stamp.check(chapters.ROOT) == []
