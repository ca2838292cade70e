"""Published values of binary MNIST, in nats per test image, to hold one's own against."""

from dataclasses import dataclass

ARXIV = "https://arxiv.org/abs/"
GITHUB = "https://github.com/"

# Where this book's authors have seen the number.
PAPER = "read in the paper"
REPOSITORY = "read in the repository"
LATER = "as a later source quotes it"


@dataclass(frozen=True)
class Published:
    """One number of a paper or a repository.

    data: "dynamic" (binarised anew at each use) or "static" (the fixed file of Larochelle);
    measure: "nll" or "negative elbo"; samples: the importance samples of an NLL, 0 where the
    source states none; value: nats per image, the lower the better; url: where it stands; read:
    how it was read for this book, PAPER, REPOSITORY or LATER.
    """

    model: str
    data: str
    measure: str
    samples: int
    value: float
    source: str
    url: str
    read: str


PUBLISHED = (
    Published(
        "VAE, 200-200, 50 latents",
        "dynamic", "nll", 5_000, 86.76, "Burda et al., table 1", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "VAE, 200-200, 50 latents, other code",
        "dynamic", "nll", 0, 86.35, "nbip/IWAE, README", GITHUB + "nbip/IWAE",
        REPOSITORY,
    ),
    Published(
        "IWAE, k = 5",
        "dynamic", "nll", 5_000, 85.54, "Burda et al., table 1", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "IWAE, k = 50",
        "dynamic", "nll", 5_000, 84.78, "Burda et al., table 1", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "IWAE, two layers, k = 50",
        "dynamic", "nll", 5_000, 82.90, "Burda et al., table 1", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "convolutional VAE with IAF",
        "dynamic", "nll", 128, 79.10, "Kingma et al., table 1", ARXIV + "1606.04934",
        LATER,
    ),
    Published(
        "convolutional VAE",
        "dynamic", "negative elbo", 0, 84.08, "Kingma et al., table 1", ARXIV + "1606.04934",
        LATER,
    ),
    Published(
        "convolutional VAE with IAF",
        "dynamic", "negative elbo", 0, 80.80, "Kingma et al., table 1", ARXIV + "1606.04934",
        LATER,
    ),
    Published(
        "VAE, 256-256, 128 latents",
        "static", "nll", 1_000, 100.31, "jaanli, README",
        GITHUB + "jaanli/variational-autoencoder", REPOSITORY,
    ),
    Published(
        "VAE, 400, 40 latents",
        "static", "nll", 200, 89.78, "pythae, README", GITHUB + "clementchadebec/benchmark_VAE",
        REPOSITORY,
    ),
    Published(
        "VAE, 200-200, 50 latents",
        "static", "nll", 5_000, 88.71, "Burda et al., table 3", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "IWAE, k = 50",
        "static", "nll", 5_000, 87.10, "Burda et al., table 3", ARXIV + "1509.00519", PAPER,
    ),
    Published(
        "VAE with VampPrior",
        "static", "nll", 5_000, 85.57, "Tomczak and Welling, table 1", ARXIV + "1705.07120",
        LATER,
    ),
    Published(
        "VAE, 256-256, 128 latents",
        "static", "negative elbo", 0, 106.64, "jaanli, README",
        GITHUB + "jaanli/variational-autoencoder", REPOSITORY,
    ),
    Published(
        "gated convolutional VAE",
        "static", "negative elbo", 0, 86.55, "van den Berg et al.", ARXIV + "1803.05649",
        LATER,
    ),
    Published(
        "gated convolutional VAE, Sylvester flow",
        "static", "negative elbo", 0, 83.32, "van den Berg et al.", ARXIV + "1803.05649",
        LATER,
    ),
)  # fmt: skip
