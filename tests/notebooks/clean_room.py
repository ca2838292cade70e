"""An environment without the repository, for notebooks to run in."""

import json
import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import chapters
import nbformat

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
    nbclient.execute(notebook, timeout=600, allow_errors=True)
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
        keep = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "OMP_NUM_THREADS")
            if name in os.environ
        }
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

    def execute(self, notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
        """Run a notebook alone in the empty folder, past cells that fail; returns it executed."""
        path = self.folder / name
        nbformat.write(notebook, path)
        done = self.run("-c", EXECUTE, path)
        executed = chapters.read(path)
        path.unlink()
        assert done.returncode == 0, done.stderr[-3000:]
        return executed

    def opened(self) -> list[str]:
        """What was opened in the clone."""
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


def errors(cell: nbformat.NotebookNode) -> list[str]:
    """What went wrong in an executed cell."""
    return [f"{it.ename}: {it.evalue}" for it in cell.outputs if it.output_type == "error"]


def printed(cell: nbformat.NotebookNode) -> str:
    """All that an executed cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


def printed_by_all(notebook: nbformat.NotebookNode) -> str:
    """All that an executed notebook printed; no cell may have failed."""
    cells = [cell for _, cell in chapters.code(notebook)]
    assert [error for cell in cells for error in errors(cell)] == []
    return "".join(map(printed, cells))
