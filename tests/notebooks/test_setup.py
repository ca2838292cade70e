import importlib.util
import subprocess
import sys
import types
from importlib import metadata

import pytest
import stamp

URL = "https://github.com/reader/book"


@pytest.fixture
def world(monkeypatch):
    """Stands in for pip, vaeutil and torch; says what was asked of pip and in which order."""
    happened = types.SimpleNamespace(pip=[], events=[], installed=False, answer=(0, ""))
    find_spec = importlib.util.find_spec

    def find(name, package=None):
        if name == "vaeutil":
            return object() if happened.installed else None
        return find_spec(name, package)

    def pip(command, **options):
        happened.pip.append(command)
        code, error = happened.answer
        return subprocess.CompletedProcess(command, code, "", error)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setattr(subprocess, "run", pip)
    figures = types.SimpleNamespace(use=lambda: happened.events.append("figures"))
    check = types.ModuleType("vaeutil.check")
    check.agree = None
    vaeutil = types.ModuleType("vaeutil")
    vaeutil.figures, vaeutil.check, vaeutil.profile = figures, check, lambda: "smoke"
    torch = types.ModuleType("torch")
    torch.__version__ = "2.9.9+stub"
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    for name, module in {"vaeutil": vaeutil, "vaeutil.check": check, "torch": torch}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    return happened


def run(url=None):
    exec(compile(stamp.setup(url), "setup", "exec"), {})


def installed_torch(monkeypatch, *versions):
    found = [types.SimpleNamespace(version=version) for version in versions]
    monkeypatch.setattr(metadata, "distributions", lambda *, name: found if name == "torch" else [])


def test_nothing_is_installed_where_vaeutil_is(world, capsys):
    world.installed = True
    run(URL)
    assert world.pip == []
    assert world.events == ["figures"]
    assert capsys.readouterr().out == "profile smoke, torch 2.9.9+stub, GPU: False\n"


def test_an_installed_torch_is_named_with_its_version(world, monkeypatch, capsys):
    installed_torch(monkeypatch, "2.5.1+cu124")
    run(URL)
    expected = ["-m", "pip", "install", f"vaeutil @ git+{URL}", "torch==2.5.1+cu124"]
    assert world.pip == [[sys.executable, *expected]]
    assert f"Installing vaeutil from {URL}" in capsys.readouterr().out


def test_where_there_is_no_torch_none_is_named(world, monkeypatch):
    installed_torch(monkeypatch)
    run(URL)
    assert world.pip[0][3:] == ["install", f"vaeutil @ git+{URL}"]


def test_pip_takes_the_installed_torch_for_what_is_wanted():
    """Without an index: pip could not fetch another torch, and does not have to."""
    wanted = f"torch=={metadata.version('torch')}"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"Requirement already satisfied: {wanted}" in done.stdout
    assert "Would install" not in done.stdout


def test_no_address_says_what_to_do(world):
    with pytest.raises(ModuleNotFoundError, match=r"pip install \.") as error:
        run(None)
    assert "Colab" in str(error.value)
    assert world.pip == []


def test_a_failure_of_pip_is_told(world):
    world.answer = (1, "fatal: repository not found")
    with pytest.raises(RuntimeError, match="repository not found"):
        run(URL)


def test_colab_gets_its_widget_manager(world, monkeypatch):
    world.installed = True
    called = []
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: called.append(1))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    run(URL)
    assert called == [1]


def test_vaeutil_is_imported_before_torch():
    """It sets how torch's threads wait, which counts only before torch is imported."""
    lines = stamp.setup(None).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("import vaeutil"))
    assert first < lines.index("import torch")
