"""The book's own digit classifier: whose features and probabilities judge generated images."""

import json
from importlib import resources

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.data import Images, Split, observe
from vaeutil.nets import PIXELS, SIDE
from vaeutil.seeding import seeded
from vaeutil.training import learning_rate

CLASSES = 10
ROWS = 1_000  # images that go through the network at once


class Classifier(nn.Module):
    """A small convolutional network from grey images to ten digits.

    Images are flat, [n, 784], in [0, 1]: pixels divided by 255, or a decoder's means. `width`:
    channels of the first layer; `size`: how many features the last but one layer has.
    """

    def __init__(self, width: int = 16, size: int = 64):
        super().__init__()
        self.config = {"width": width, "size": size}
        self.body = nn.Sequential(
            nn.Unflatten(-1, (1, SIDE, SIDE)),
            nn.Conv2d(1, width, 4, stride=2, padding=1),  # 28 × 28 → 14 × 14
            nn.GELU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # 14 × 14 → 7 × 7
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(2 * width * 49, size),
            nn.GELU(),
        )
        self.head = nn.Linear(size, CLASSES)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the ten classes: [n, 784] → [n, 10]."""
        return self.head(self.body(x))

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """What the last but one layer makes of each image: [n, 784] → [n, size], on the CPU.

        Raises ValueError unless x is [n, 784] of floats in [0, 1].
        """
        return torch.cat([self.body(part.to(self.device)).cpu() for part in _pieces(x)])

    @torch.no_grad()
    def probabilities(self, x: Tensor) -> Tensor:
        """The probability of each digit: [n, 784] → [n, 10], rows that sum to one, on the CPU."""
        return torch.cat([self(part.to(self.device)).softmax(-1).cpu() for part in _pieces(x)])

    def accuracy(self, split: Split) -> float:
        """The share of a split's images, as grey levels, whose label it finds."""
        found = self.probabilities(observe(split.pixels, "grey")).argmax(-1)
        return (found == split.labels).double().mean().item()


def load_classifier(name: str = "classifier") -> Classifier:
    """The trained classifier that travels with the package, ready to evaluate, on the CPU.

    name: "classifier", or "classifier_b", the same network trained from another seed, with which
    to see how far a score depends on the judge. Raises ValueError for another name.
    """
    if name not in ("classifier", "classifier_b"):
        raise ValueError(f"There is no classifier {name!r}: take classifier or classifier_b.")
    with (
        resources.as_file(resources.files("vaeutil") / "results" / f"{name}.safetensors") as path,
        safe_open(path, "pt") as file,
    ):
        config = json.loads(file.metadata()["config"])
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    classifier = Classifier(**config)
    classifier.load_state_dict(tensors)
    return classifier.eval()


def train_classifier(images: Images, *, steps: int, batch: int, lr: float, seed: int) -> Classifier:
    """Train a classifier on images.train: cross-entropy, AdamW, a random shift for each batch.

    The shift, up to two pixels in each direction, makes it attend to shapes rather than to places.
    """
    pixels, labels = observe(images.train.pixels, "grey"), images.train.labels
    with seeded(seed):
        classifier = Classifier()
        optimiser = torch.optim.AdamW(classifier.parameters(), lr=lr, weight_decay=0.01)
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, steps, lr, 100)
            index = torch.randint(len(pixels), (batch,))
            loss = F.cross_entropy(classifier(_shifted(pixels[index])), labels[index])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return classifier.eval()


def _shifted(x: Tensor) -> Tensor:
    down, right = torch.randint(5, (2,)).tolist()
    padded = F.pad(x.view(-1, SIDE, SIDE), (2, 2, 2, 2))
    return padded[:, down : down + SIDE, right : right + SIDE].reshape(-1, PIXELS)


def _pieces(x: Tensor) -> tuple[Tensor, ...]:
    if x.ndim != 2 or x.shape[1] != PIXELS or not x.is_floating_point() or len(x) == 0:
        raise ValueError(f"Images are floats of shape [n, 784], not {x.dtype} {list(x.shape)}.")
    if not (x.amin() >= 0 and x.amax() <= 1):
        raise ValueError("The pixels of an image lie between 0 and 1; divide grey levels by 255.")
    return x.split(ROWS)
