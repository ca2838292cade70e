"""Fetching a file from one of several mirrors: whole, verified, or not at all."""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
import requests

from vaeutil._progress import Progress
from vaeutil.data.formats import Damaged, decode
from vaeutil.data.sources import File, Source
from vaeutil.files import atomic


@dataclass(frozen=True)
class Patience:
    """How long to try, in seconds.

    connect: to find and reach a host; stall: without a byte, before a transfer is given up;
    attempts: at one file on one mirror; pause: before the second attempt, doubled for each more;
    wasted: in all on attempts that failed, after which no other is made for this data set.
    """

    connect: float
    stall: float
    attempts: int
    pause: float
    wasted: float


PATIENT = Patience(connect=10, stall=20, attempts=3, pause=1, wasted=120)
# For a set that has a substitute: a machine without a network should know within seconds.
QUICK = Patience(connect=3, stall=5, attempts=2, pause=0.5, wasted=7)


# A proxy that refuses, or a certificate that is not trusted, will be the same in a second.
HOPELESS = (requests.exceptions.ProxyError, requests.exceptions.SSLError)


class Fetcher:
    """Fetches the files of one data set into a folder; failures lists what went wrong, in lines."""

    def __init__(self, source: Source, folder: Path, patience: Patience):
        self.source = source
        self.folder = folder
        self.patience = patience
        self.mirrors = list(source.mirrors)
        self.failures: list[str] = []
        self.wasted = 0.0

    def fetch(self, file: File) -> np.ndarray | None:
        """The array of a file, which then lies in the folder; None where no mirror gives it."""
        for mirror in list(self.mirrors):
            array = self._from_mirror(mirror + file.name, file)
            if array is not None:
                # What worked is asked first for the next file.
                self.mirrors.remove(mirror)
                self.mirrors.insert(0, mirror)
                return array
        return None

    def _from_mirror(self, url: str, file: File) -> np.ndarray | None:
        for attempt in range(1, self.patience.attempts + 1):
            if self.wasted >= self.patience.wasted:
                self.failures.append(f"{url}: not tried, after {self.wasted:.0f} s in vain")
                return None
            start = time.monotonic()
            try:
                return self._attempt(url, file)
            except _Failure as failure:
                self.failures.append(f"{url}: {failure}")
                again = failure.worth_retrying and attempt < self.patience.attempts
                if again:
                    pause = self.patience.pause * 2 ** (attempt - 1)
                    print(f"{url}: {failure}. Trying again in {pause:g} s.", file=sys.stderr)
                    time.sleep(pause)
            self.wasted += time.monotonic() - start
            if not again:
                return None
        return None

    def _attempt(self, url: str, file: File) -> np.ndarray:
        _reach(url, self.patience.connect)
        # Half for each address of the host: one family of addresses may lead nowhere.
        timeout = (self.patience.connect / 2, self.patience.stall)
        try:
            with atomic(self.folder / file.name) as part:
                bar = _Bar(f"{self.source.name}: {url}")
                get = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=timeout)
                try:
                    get(url, str(part), None)
                except requests.HTTPError as error:
                    code = error.response.status_code
                    passing = code >= 500 or code == 429
                    raise _Failure(f"the host answered {code}", passing) from error
                except requests.RequestException as error:
                    hopeless = isinstance(error, HOPELESS)
                    raise _Failure(f"the transfer failed ({error})", not hopeless) from error
                finally:
                    bar.close()
                try:
                    return decode(part.read_bytes(), self.source.kind, file.md5, "what came")
                except Damaged as error:
                    raise _Failure(str(error), True) from error
        except OSError as error:
            raise _Failure(f"cannot be written to the cache ({error})", False) from error


class _Failure(Exception):
    """An attempt that brought no good file."""

    def __init__(self, message: str, worth_retrying: bool):
        super().__init__(message)
        self.worth_retrying = worth_retrying


def _reach(url: str, seconds: float) -> None:
    """Raise _Failure unless the host of an address can be found and connected to in this time.

    A look-up of names knows no timeout, and a connection has one for each address of the host:
    without a network either can take minutes. So a thread does it, and is left behind when late.
    """
    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # only the proxy is reached from here, and it does the looking up
    parts = urlsplit(url)
    address = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    outcome: queue.SimpleQueue = queue.SimpleQueue()

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=seconds / 2).close()
            outcome.put(None)
        except OSError as error:
            outcome.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        error = outcome.get(timeout=seconds)
    except queue.Empty:
        error = TimeoutError(f"nothing within {seconds:g} s")
    if error is not None:
        raise _Failure(f"the host cannot be reached ({error})", worth_retrying=False) from error


class _Bar:
    """What pooch expects of a progress bar, on one line: megabytes so far."""

    def __init__(self, label: str):
        self.label = label
        self.progress = Progress()
        self.total = 0
        self.done = 0
        self.shown = 0.0

    def update(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self.shown > 0.1 or self.done >= self.total:
            self.shown = time.monotonic()
            whole = f" of {self.total / 1e6:.1f}" if self.total else ""
            self.progress.update(f"{self.label}: {self.done / 1e6:.1f}{whole} MB")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self.progress.close()
        self.progress.line = ""
