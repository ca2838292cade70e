"""pytest in a process that has torch and all else imported but vaeutil: a second, not ten.

    with Warm() as warm:
        status, said = warm.run(["tests/unit/test_mmd.py"], "vaeutil/mmd.py", changed_source)

Each run is a fork of one server; there the changed source stands for the file, which stays as it
is. A test that starts a Python of its own does not meet the change.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What vaeutil and its tests import, which takes most of the time of a small run.
IMPORTS = """torch torch.nn.functional torch.distributions numpy scipy.stats scipy.optimize sklearn
    sklearn.decomposition matplotlib.pyplot PIL.Image IPython.display ipywidgets anywidget
    hypothesis hypothesis.strategies pytest xdist nbval nbclient nbformat safetensors.torch pooch
    requests zuko"""
TIMEOUT = 1000  # the status of a run that was stopped; pytest's own are below 10


class Warm:
    """The server and the questions to it. A context manager."""

    def __enter__(self):
        # Of this process's own pytest, and of a measurement of coverage, the server knows nothing.
        own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV"))}
        self.server = subprocess.Popen(
            [sys.executable, __file__],
            cwd=ROOT,
            env=own
            | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self.server.stdin.close()
        self.server.wait()

    def run(self, tests, file="", source="", seconds=600) -> tuple[int, str]:
        """pytest until the first failure: its exit status, or TIMEOUT, and what it printed.

        tests: node ids, in the order in which they run. Raises RuntimeError for a dead server.
        """
        question = {"tests": list(tests), "file": file, "source": source, "seconds": seconds}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(question), file=self.server.stdin, flush=True)
        answer = self.server.stdout.readline()
        if not answer:
            raise RuntimeError("the process that forks the tests has ended")
        return tuple(json.loads(answer))


def put(file: str, source: str) -> None:
    """Let `source` be imported where the module of that file is asked for."""
    get_code = SourceFileLoader.get_code

    def changed(loader, name):
        if os.path.abspath(loader.path) != str(ROOT / file):
            return get_code(loader, name)
        return compile(source, loader.path, "exec")

    SourceFileLoader.get_code = changed


def in_a_fork(tests, file, source, seconds) -> tuple[int, str]:
    """The exit status of pytest in a fork of this process, and what it printed."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            status = 99
            try:
                for stream in (1, 2):
                    os.dup2(output.fileno(), stream)
                signal.alarm(seconds)
                if file:
                    put(file, source)
                import pytest

                options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider"]
                status = int(pytest.main([*options, *tests]))
            finally:
                sys.stdout.flush()
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return TIMEOUT if os.WIFSIGNALED(ended) else os.waitstatus_to_exitcode(ended), said


def main() -> None:
    """Answer one question a line until there are no more."""
    for name in IMPORTS.split():
        importlib.import_module(name)
    assert not any(name.split(".")[0] == "vaeutil" for name in sys.modules)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing that prints by accident is an answer
    for line in sys.stdin:
        print(json.dumps(in_a_fork(**json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
