"""What each data set is: its files, their checksums, its mirrors and how it is split."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a data set.

    name is the file's name on a mirror (".gz" may be missing where it lies unpacked). md5 is that
    of its contents, not of its bytes, because gzip headers differ between mirrors: for an idx file
    the unpacked bytes, for binarised images the sorted rows (see formats.py).
    """

    name: str
    md5: str


@dataclass(frozen=True)
class Source:
    """A data set of several files and where they may be found.

    kind is "idx" (files: training images, training labels, test images, test labels) or "rows"
    (files: training, validation and test images, one line of 0s and 1s an image). folder is its
    name below VAEUTIL_DATA and below the cache; system holds folders that system packages fill;
    archive is a single .npz that may stand for the files; valid is the number of images at the
    end of an idx training file that are held out for validation.
    """

    name: str
    kind: str
    folder: str
    files: tuple[File, ...]
    mirrors: tuple[str, ...]
    size: str
    note: str
    system: tuple[str, ...] = ()
    archive: str = ""
    valid: int = 10_000


MNIST = Source(
    name="mnist",
    kind="idx",
    folder="mnist",
    files=(
        File("train-images-idx3-ubyte.gz", "6bbc9ace898e44ae57da46a324031adb"),
        File("train-labels-idx1-ubyte.gz", "a25bea736e30d166cdddb491f175f624"),
        File("t10k-images-idx3-ubyte.gz", "2646ac647ad5339dbf082846283269ea"),
        File("t10k-labels-idx1-ubyte.gz", "27ae3e4e09519cfbb04c329615203637"),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    size="11 MB",
    note="Train: the first 50,000 images of the training file; validation: its last 10,000.",
)

FASHION_MNIST = Source(
    name="fashion-mnist",
    kind="idx",
    folder="fashion-mnist",
    files=(
        File("train-images-idx3-ubyte.gz", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        File("train-labels-idx1-ubyte.gz", "9018921c3c673c538a1fc5bad174d6f9"),
        File("t10k-images-idx3-ubyte.gz", "8181f5470baa50b63fa0f6fddb340f0a"),
        File("t10k-labels-idx1-ubyte.gz", "15d484375f8d13e6eb1aabb0c3f46965"),
    ),
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    size="31 MB",
    note="Train: the first 50,000 images of the training file; validation: its last 10,000.",
    system=("/usr/share/datasets/fashion-mnist",),  # Debian's package dataset-fashion-mnist
)

BINARIZED_MNIST = Source(
    name="binarized-mnist",
    kind="rows",
    folder="binarized-mnist",
    files=(
        File("binarized_mnist_train.amat", "21ac442c96170074f0f8a41a5d5909bf"),
        File("binarized_mnist_valid.amat", "59f12e3da5e0916eb8a6dea625994ee4"),
        File("binarized_mnist_test.amat", "11a2f05bb4ffc4e93cb7144d56a94527"),
    ),
    mirrors=("http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",),
    size="110 MB",
    note="The fixed binarisation of Larochelle and Murray (2011), without labels, in an order of"
    " its own.",
    archive="binarized_mnist.npz",
)

SOURCES = {source.name: source for source in (MNIST, FASHION_MNIST, BINARIZED_MNIST)}
