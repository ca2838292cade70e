"""The training loops compared: the book's, and two baselines as they are usually written."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

from vaeutil.data import Images
from vaeutil.models import VAE
from vaeutil.training import fit

BATCH = 128


class PilDigits(Dataset):
    """Digits as torchvision's MNIST serves them: a PIL image, then ToTensor, one at a time."""

    def __init__(self, images: Images):
        self.pixels, self.labels = images.train.pixels, images.train.labels

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.pixels[index].numpy())
        return to_tensor(image), int(self.labels[index])


def to_tensor(image: Image.Image) -> Tensor:
    """What torchvision's ToTensor does to a grey image: float32 [1, height, width] in [0, 1]."""
    pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
    pixels = pixels.view(image.height, image.width, 1).permute(2, 0, 1).contiguous()
    return pixels.to(torch.float32).div(255)


def tensors(images: Images) -> TensorDataset:
    """All digits converted beforehand; the DataLoader still gathers them one at a time."""
    return TensorDataset(images.train.pixels[:, None].float().div(255), images.train.labels)


def tutorial_loop(model: VAE, digits: Dataset, steps: int, device: torch.device) -> float:
    """The loop of most tutorials; returns the mean loss, which it reads back at every step.

    Grey pixels under a binary cross-entropy and a sum over the batch are part of the custom; they
    change what is learned, not how long it takes.
    """
    loader = DataLoader(digits, batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.to(device).train()
    total, step = 0.0, 0
    while True:
        for data, _ in loader:
            data = data.to(device).view(-1, 784)
            optimizer.zero_grad()
            mu, logvar = model.encoder(data).chunk(2, dim=1)
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
            bce = F.binary_cross_entropy_with_logits(model.decoder(z), data, reduction="sum")
            kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss = bce + kld
            loss.backward()
            total += loss.item()
            optimizer.step()
            step += 1
            if step == steps:
                return total / steps / BATCH


def book_loop(model: VAE, images: Images, steps: int, device: torch.device, bf16=False) -> float:
    """`fit` itself, without a validation set; returns the last loss."""
    images = replace(images, valid=images.valid[:0])
    history = fit(model, images, steps=steps, batch=BATCH, bf16=bf16, device=device, progress=False)
    return history.terms["loss"][-1]
