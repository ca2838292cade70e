"""An environment without the repository: the wheel is whole, and the set-up cell installs it."""

import subprocess
import zipfile

import chapters
import nbformat
import sample
import stamp
from clean_room import Away, printed_by_all


def test_the_wheel_has_all_files_of_the_package(wheel, source):
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "vaeutil").rglob("*")
        if path.is_file() and "build" not in path.relative_to(source).parts
    }
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_watch_sees_the_clone(away):
    assert away.opened() == []
    away.run("-c", f"open({str(chapters.ROOT / 'pyproject.toml')!r}).close()")
    away.run("-c", f"import os; os.listdir({str(chapters.ROOT)!r})")
    assert away.opened() == [str(chapters.ROOT / "pyproject.toml"), str(chapters.ROOT)]
    away.log.unlink()


def test_the_setup_cell_installs_from_the_repository(source, tmp_path):
    """With pip as it is, where no index can be had, and git knows where the address leads."""
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "A"],
    ):
        subprocess.run(["git", "-C", source, *command], check=True)
    url, place = "https://example.org/reader/book", Away(tmp_path)
    place.env |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": url,
    }
    assert place.run("-c", "import vaeutil").returncode == 1
    torch = (place.site / "torch").readlink()
    notebook = sample.notebook()
    notebook.cells = [nbformat.v4.new_code_cell(stamp.setup(url))]
    printed = printed_by_all(place.execute(notebook, sample.NAME))
    assert f"Installing vaeutil from {url}" in printed
    assert "profile smoke" in printed
    assert place.run("-c", "import vaeutil").returncode == 0
    assert (place.site / "torch").readlink() == torch
    assert place.opened() == []
