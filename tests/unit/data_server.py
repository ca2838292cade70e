"""A small data set, and a server on loopback that misbehaves on demand."""

import gzip
import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from vaeutil.data.fetch import Patience
from vaeutil.data.sources import File, Source

BRIEF = Patience(connect=2, stall=0.5, attempts=3, pause=0.01, wasted=20)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def small_set():
    """An idx data set of 40 training and 10 test images of noise: name → unpacked bytes."""
    random = np.random.default_rng(1)
    return {
        "train-images-idx3-ubyte": idx(random.integers(0, 256, (40, 28, 28), np.uint8)),
        "train-labels-idx1-ubyte": idx(random.integers(0, 10, 40, np.uint8)),
        "t10k-images-idx3-ubyte": idx(random.integers(0, 256, (10, 28, 28), np.uint8)),
        "t10k-labels-idx1-ubyte": idx(random.integers(0, 10, 10, np.uint8)),
    }


CONTENT = small_set()
FILES = tuple(File(f"{name}.gz", hashlib.md5(raw).hexdigest()) for name, raw in CONTENT.items())
PACKED = {f"{name}.gz": gzip.compress(raw) for name, raw in CONTENT.items()}
FIRST = FILES[0].name


class Server:
    """Serves PACKED on loopback; plan[file] is a list of misbehaviours, one a request."""

    def __init__(self):
        self.plan = {}
        self.asked = []
        self.pair = threading.Barrier(2)  # halfway through, each waits for the other
        self.release = threading.Event()  # ends the stalls when the test is over
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self, self.path.rsplit("/", 1)[-1])

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request, name):
        self.asked.append(name)
        todo = self.plan.get(name) or ["good"]
        how = todo.pop(0) if len(todo) > 1 else todo[0]
        body = PACKED[name]
        if how == "silent":
            self.release.wait(20)
            return
        if isinstance(how, int):
            request.send_error(how)
            return
        if how == "corrupt":
            body = body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1])
            body += PACKED[name][len(body) :]
        elif how == "altered":  # a good gzip file of something else
            body = gzip.compress(CONTENT[name.removesuffix(".gz")][:-1] + b"\xff")
        elif how == "portal":
            body = b"<html>Please log in</html>"
        elif how == "short":  # truncated, and the header does not tell
            body = body[: len(body) // 2]
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])
        if how == "together":
            self.pair.wait(60)
        if how == "stall":
            request.wfile.flush()
            self.release.wait(20)
        if how not in ("stall", "truncate"):
            request.wfile.write(body[len(body) // 2 :])


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No folder of data, an empty cache, no proxy."""
    monkeypatch.delenv("VAEUTIL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    server = Server()
    yield server
    server.release.set()
    server.http.shutdown()
    server.http.server_close()


def source(*mirrors):
    return Source("small", "idx", "small", FILES, mirrors, "1 kB", "noise", valid=10)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def require_good(images):
    train = np.concatenate([images.train.pixels.numpy(), images.valid.pixels.numpy()])
    assert train.tobytes() == CONTENT["train-images-idx3-ubyte"][16:]
    assert (
        images.test.labels.numpy().astype(np.uint8).tobytes()
        == (CONTENT["t10k-labels-idx1-ubyte"][8:])
    )
    assert (len(images.train), len(images.valid), len(images.test)) == (30, 10, 10)


def require_only_good_files(folder, complete):
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    assert names <= set(PACKED), "something half fetched was left behind"
    assert not complete or names == set(PACKED)
    for file in FILES:
        if file.name in names:
            raw = gzip.decompress((folder / file.name).read_bytes())
            assert hashlib.md5(raw).hexdigest() == file.md5
