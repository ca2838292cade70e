"""What a likelihood costs: −log p(x) by 5,000 importance samples of each image, written two ways.

The same estimate by `vaeutil.evaluation.nll` and by the code that one usually finds, on the same
images in turns. The model is the trained one of the chapter on the VAE, two decoder layers of 500.
"""

import math
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from vaeutil import machine, models
from vaeutil.bench.rates import NO_BF16, device, has_bf16, peak_flops
from vaeutil.bench.targets import judged
from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import Estimate, nll
from vaeutil.models import VAE
from vaeutil.seeding import seeded

WEIGHTS = machine.PACKAGE / "results" / "vae.safetensors"
USUAL = {"images": 1_000, "k": 5_000, "rounds": 10}
QUICK = {"images": 4, "k": 20, "rounds": 2}
BASE = "usual"
BF16 = "nll, bf16"
SECONDS = 60.0  # of a processor


def measure(images: Images, quick: bool = False) -> dict:
    """Processor seconds of each way, all threads added up, and of the matrix products alone."""
    sizes = QUICK if quick else USUAL
    where = device()
    model = models.load(WEIGHTS).to(where)
    ways = in_turns(images.test, ways_of(model), **sizes)
    values = {name: way.pop("values") for name, way in ways.items()}
    timed = BF16 in ways
    best = min(way["processor_seconds"] for name, way in ways.items() if name != BASE)
    note = "the faster of float32 and bf16" if timed else f"in float32; bf16 {NO_BF16}"
    if where.type == "cuda":
        best, note = None, "the work is done by a GPU, not by a processor"
    what = f"−log p(x), k = {sizes['k']:,}, {sizes['images']:,} images"
    return {
        "model": model.config,
        **sizes,
        "ways": ways,
        "products_seconds": products_seconds(model, where, sizes["images"] * sizes["k"]),
        "bf16": "timed" if timed else NO_BF16,
        "bf16_difference": difference(values[BF16], values["nll"]) if timed else None,
        "targets": [judged(what, "processor seconds", SECONDS, best, note=note)],
    }


def ways_of(model: VAE) -> dict[str, Callable]:
    """Name → way(split, k), which gives −log p(x) of each image, [N], in nats."""

    def in_bf16(split: Split, k: int) -> Tensor:
        with torch.autocast(model.device.type, torch.bfloat16):
            return nll(model, split, k).values

    ways = {
        "nll": lambda split, k: nll(model, split, k).values,
        BASE: lambda split, k: usual(model, split, k),
    }
    return ways | ({BF16: in_bf16} if has_bf16(model.device) else {})


@torch.no_grad()
def usual(model: VAE, split: Split, k: int, seed: int = 0) -> Tensor:
    """−log p(x) as it is usually written: all samples of an image at once, cross-entropy a pixel.

    The same estimate as `nll`, of the same binarised images, from other draws: [N], in nats.
    """
    generator = torch.Generator().manual_seed(seed)
    x = observe(split.pixels, "binary", generator).to(model.device)
    values = []
    with seeded(seed, model.device):
        for image in x:
            mean, log_variance = model.encoder(image[None]).chunk(2, dim=1)
            std = torch.exp(0.5 * log_variance)
            z = mean + std * torch.randn(k, model.latent, device=model.device)
            logits = model.decoder(z)
            target = image.expand(k, -1)
            bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)
            log_prior = Normal(0.0, 1.0).log_prob(z).sum(1)
            log_posterior = Normal(mean, std).log_prob(z).sum(1)
            log_w = -bce + log_prior - log_posterior
            values.append(math.log(k) - torch.logsumexp(log_w, 0))
    return torch.stack(values).cpu()


def in_turns(split: Split, ways: dict[str, Callable], images: int, k: int, rounds: int) -> dict:
    """Each way on the first `images` of split, a share of them in each round."""
    share = images // rounds
    for way in ways.values():  # warm up
        way(split[:2], k)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    values: dict[str, list[Tensor]] = {name: [] for name in ways}
    for index in range(rounds):
        part = split[index * share : (index + 1) * share]
        for name, way in ways.items():
            wall, processor = time.perf_counter(), time.process_time()
            values[name].append(way(part, k))  # on the CPU: whatever the device does is done
            spent[name].append((time.process_time() - processor, time.perf_counter() - wall))
    return {name: _figures(name, spent, torch.cat(values[name])) for name in ways}


def products_seconds(model: VAE, where: torch.device, decoded: int) -> float:
    """Processor seconds of the decoder's float32 matrix products alone, at this machine's peak."""
    weights = sum(m.weight.numel() for m in model.decoder if isinstance(m, nn.Linear))
    return 2 * weights * decoded / peak_flops(where) * torch.get_num_threads()


def difference(values: Tensor, reference: Tensor) -> dict:
    """How far the estimates of the same images lie from one another, in nats."""
    apart = values - reference
    return {"mean": apart.mean().item(), "largest": apart.abs().max().item()}


def _figures(name: str, spent: dict[str, list[tuple[float, float]]], values: Tensor) -> dict:
    ratios = [base / mine for (base, _), (mine, _) in zip(spent[BASE], spent[name], strict=True)]
    estimate = Estimate(values)
    return {
        "processor_seconds": sum(processor for processor, _ in spent[name]),
        "seconds": sum(wall for _, wall in spent[name]),
        "ratio": median(ratios),
        "lowest_ratio": min(ratios),
        "highest_ratio": max(ratios),
        "nll": estimate.mean,
        "stderr": estimate.stderr,
        "values": values,
    }
