"""A notebook on its own, in an environment without the repository: nothing reaches back into it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import chapters
import nbformat
import pytest
import sample
import stamp

SITE = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}

# Writes down every file of the clone that is opened, and every folder of it that is listed.
WATCH = """
import os, sys
def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, bytes)):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if (path + os.sep).startswith({clone!r}) and not path.startswith({installed!r}):
            with open({log!r}, "a") as log:
                log.write(path + "\\n")
sys.addaudithook(watch)
"""

# What Colab has imported before the first cell runs.
COLAB = """
from types import SimpleNamespace
output = SimpleNamespace(enable_custom_widget_manager=lambda: print("widgets enabled"))
"""

EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
try:
    nbclient.execute(notebook, timeout=600)
finally:
    nbformat.write(notebook, sys.argv[1])
"""


class Away:
    """An environment with all that is installed here but vaeutil, and an empty folder in it."""

    def __init__(self, root: Path):
        venv.create(root / "env", with_pip=False, symlinks=True)
        self.python = root / "env" / "bin" / "python"
        self.site = next((root / "env" / "lib").glob("python3*/site-packages"))
        self.log, self.home, self.folder = root / "opened", root / "home", root / "empty"
        self.home.mkdir()
        self.folder.mkdir()
        for entry in (entry for site in SITE for entry in site.iterdir()):
            # A .pth file would lead to the clone, where vaeutil is installed from.
            if entry.suffix != ".pth" and "vaeutil" not in entry.name:
                link = self.site / entry.name
                if not link.exists():
                    link.symlink_to(entry)
        watch = WATCH.format(
            clone=str(chapters.ROOT) + os.sep, installed=tuple(map(str, SITE)), log=str(self.log)
        )
        (self.site / "sitecustomize.py").write_text(watch, encoding="utf-8")
        colab = root / "colab" / "google" / "colab"
        colab.mkdir(parents=True)
        (colab / "__init__.py").write_text(COLAB, encoding="utf-8")
        (self.site / "colab.pth").write_text(f"{root / 'colab'}\nimport google.colab\n")
        spec = self.home / "jupyter" / "kernels" / "python3"
        spec.mkdir(parents=True)
        kernel = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.joinpath("kernel.json").write_text(
            json.dumps({"argv": kernel, "display_name": "Python 3", "language": "python"})
        )
        keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.env = keep | {
            "HOME": str(self.home),
            "JUPYTER_PATH": str(self.home / "jupyter"),
            "VAEUTIL_PROFILE": "smoke",
            # No network: the notebook runs on the digits that came with its packages.
            **dict.fromkeys(["http_proxy", "https_proxy"], "http://127.0.0.1:9"),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # as pip reads it: do not isolate
        }

    def run(self, *arguments) -> subprocess.CompletedProcess:
        command = [self.python, *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True
        )

    def execute(self, notebook: nbformat.NotebookNode, name: str) -> str:
        """Run a notebook alone in the empty folder; returns all that it printed."""
        path = self.folder / name
        nbformat.write(notebook, path)
        done = self.run("-c", EXECUTE, path)
        executed = chapters.read(path)
        path.unlink()
        assert done.returncode == 0, done.stderr[-3000:]
        outputs = [output for _, cell in chapters.code(executed) for output in cell.outputs]
        return "".join(output.get("text", "") for output in outputs)

    def opened(self) -> list[str]:
        """What was opened in the clone."""
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What a wheel is built of, copied, so that nothing an older build left gets into it."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (chapters.ROOT / name).exists():
            shutil.copy(chapters.ROOT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(chapters.ROOT / "vaeutil", copy / "vaeutil", ignore=ignored)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "-w", folder, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def away(wheel, tmp_path_factory):
    """An environment with vaeutil installed from its wheel."""
    place = Away(tmp_path_factory.mktemp("away"))
    done = place.run("-m", "pip", "install", "--no-deps", wheel)
    assert done.returncode == 0, done.stderr
    return place


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


PATHS = chapters.paths()


@pytest.mark.parametrize("path", PATHS or [None], ids=lambda path: path.stem if path else "sample")
def test_a_notebook_alone(path, away):
    notebook = chapters.read(path) if path else sample.notebook()
    notebook.cells.append(nbformat.v4.new_code_cell("print('vaeutil:', vaeutil.__file__)"))
    printed = away.execute(notebook, path.name if path else sample.NAME)
    assert f"vaeutil: {away.site / 'vaeutil' / '__init__.py'}" in printed
    assert "widgets enabled" in printed
    assert "profile smoke" in printed
    assert away.opened() == []
    assert list(away.folder.iterdir()) == []


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
    printed = place.execute(notebook, sample.NAME)
    assert f"Installing vaeutil from {url}" in printed
    assert "profile smoke" in printed
    assert place.run("-c", "import vaeutil").returncode == 0
    assert (place.site / "torch").readlink() == torch
    assert place.opened() == []
