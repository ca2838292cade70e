"""Fetching from a server that misbehaves: never a bad file used, never a half file left."""

import re
import socket
import subprocess
import sys
import threading

import pytest
from data_server import (
    BRIEF,
    FILES,
    FIRST,
    PACKED,
    Server,
    closed_port,
    nowhere,
    require_good,
    require_only_good_files,
    server,
    source,
)

import vaeutil.data.load as load
from vaeutil.data import DataUnavailable
from vaeutil.data.fetch import Patience
from vaeutil.data.places import cache_folder

__all__ = ["nowhere", "server"]  # fixtures


def test_a_good_server_then_the_cache(server):
    images = load.assemble(source(server.url), BRIEF)
    require_good(images)
    assert images.provenance.source == "127.0.0.1 (kept in the cache)"
    assert images.provenance.checksums == {file.name: file.md5 for file in FILES}
    require_only_good_files(cache_folder(source()), complete=True)
    asked = len(server.asked)
    again = load.assemble(source(server.url), BRIEF)
    assert again.provenance.source == "the cache"
    assert len(server.asked) == asked
    assert again.checksum == images.checksum


FAULTS = ["truncate", "short", "corrupt", "altered", "portal", "stall", "silent", 500, 503]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_tried_again(server, fault):
    server.plan[FIRST] = [fault, "good"]
    require_good(load.assemble(source(server.url), BRIEF))
    assert server.asked.count(FIRST) == 2
    require_only_good_files(cache_folder(source()), complete=True)


@pytest.mark.parametrize("fault", [*FAULTS, 404, 403])
def test_a_lasting_fault_is_an_error_and_leaves_nothing(server, fault):
    server.plan[FILES[1].name] = [fault]
    with pytest.raises(DataUnavailable) as caught:
        load.assemble(source(server.url), BRIEF)
    message = str(caught.value)
    expected = {
        "truncate": "transfer failed.*IncompleteRead",
        "short": "cannot be unpacked",
        "corrupt": "md5|cannot be unpacked",
        "altered": "md5 of its contents is",
        "portal": "not an idx file",
        "stall": "transfer failed.*timed out",
        "silent": "transfer failed.*timed out",
    }.get(fault, f"answered {fault}")
    assert re.search(expected, message)
    for word in (server.url + FILES[1].name, "VAEUTIL_DATA", "the cache", "What to do", "mnist-5k"):
        assert word in message
    # A refusal is final; anything else is tried as often as Patience says.
    assert server.asked.count(FILES[1].name) == (1 if fault in (403, 404) else BRIEF.attempts)
    require_only_good_files(cache_folder(source()), complete=False)


@pytest.mark.parametrize("fault", ["corrupt", "stall", 404])
def test_the_next_mirror_steps_in(server, fault):
    other = Server()
    server.plan = {name: [fault] for name in PACKED}
    images = load.assemble(source(closed_port(), server.url, other.url), BRIEF)
    other.http.shutdown()
    require_good(images)
    # The mirror that worked is asked first for the other files.
    assert set(server.asked) == {FIRST}
    require_only_good_files(cache_folder(source()), complete=True)


def test_a_host_that_hangs_is_given_up(server):
    server.plan[FIRST] = ["silent"]
    patience = Patience(connect=2, stall=0.1, attempts=50, pause=0.01, wasted=0.25)
    with pytest.raises(DataUnavailable, match="in vain"):
        load.assemble(source(server.url, server.url), patience)
    assert len(server.asked) <= 3


def test_a_name_server_that_hangs_is_given_up(monkeypatch):
    release = threading.Event()

    def hang(*args, **kwargs):
        release.wait(20)
        raise OSError("late")

    monkeypatch.setattr(socket, "create_connection", hang)
    patience = Patience(connect=0.1, stall=1, attempts=3, pause=0.01, wasted=5)
    with pytest.raises(DataUnavailable, match=r"cannot be reached.*nothing within 0\.1 s"):
        load.assemble(source("http://example.invalid/"), patience)
    release.set()


def test_a_bad_file_in_the_cache_is_deleted_and_fetched_again(server, capsys):
    folder = cache_folder(source())
    load.assemble(source(server.url), BRIEF)
    path = folder / FIRST
    path.write_bytes(path.read_bytes()[:500])
    server.asked.clear()
    require_good(load.assemble(source(server.url), BRIEF))
    assert server.asked == [FIRST]
    line = capsys.readouterr().err
    assert str(path) in line
    assert "Deleted from the cache" in line
    path.write_bytes(b"")
    with pytest.raises(DataUnavailable, match="cannot be reached"):
        load.assemble(source(closed_port()), BRIEF)
    require_only_good_files(folder, complete=False)


def test_a_cache_that_cannot_be_written_is_an_error_that_says_so(server):
    folder = cache_folder(source())
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    with pytest.raises(DataUnavailable, match="cannot be written"):
        load.assemble(source(server.url), BRIEF)


def test_two_processes_fetching_at_once_both_have_good_files(server):
    server.plan[FIRST] = ["together"]
    patience = Patience(connect=10, stall=60, attempts=1, pause=0.01, wasted=60)
    code = f"""
from vaeutil.data.fetch import Patience
from vaeutil.data.load import assemble
from vaeutil.data.sources import File, Source
print(assemble({source(server.url)!r}, {patience!r}).checksum)
"""
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    sums = [process.communicate(timeout=120)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert server.asked.count(FIRST) == 2
    assert sums == [load.assemble(source(), BRIEF).checksum] * 2
    require_only_good_files(cache_folder(source()), complete=True)
