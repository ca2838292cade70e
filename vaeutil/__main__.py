"""python -m vaeutil data | train | evaluate | reproduce | bench."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open

from vaeutil import PROFILES, bench, experiments, machine, training
from vaeutil.data import NAMES, load_images, report
from vaeutil.evaluation import active_units, elbo, nll
from vaeutil.models import AE, VAE, Model, load, save
from vaeutil.models.base import NETS
from vaeutil.seeding import seeded

OBSERVED = {
    "binary": "dynamic binarisation: each pixel drawn on with probability pixel/255, once, seed 0",
    "dequantised": "dequantised: (pixel + u)/256, drawn once, seed 0; a density, not a probability",
}
FIXED = "the fixed binarisation of Larochelle and Murray"


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; return the exit status: 0, 2 after bad input, 130 when interrupted."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("vaeutil: interrupted.", file=sys.stderr)
        return 130
    except (OSError, FloatingPointError) as error:
        print(f"vaeutil: {error}", file=sys.stderr)
        return 2
    except ValueError as error:
        if not _meant(error):
            raise
        print(f"vaeutil: {error}", file=sys.stderr)
        return 2
    return 0


def _meant(error: ValueError) -> bool:
    """Whether this package raised it, so that its words are for the reader; else it is a bug."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return Path(trace.tb_frame.f_code.co_filename).is_relative_to(machine.PACKAGE)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m vaeutil", description="The book's command line.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, formatter_class=_Defaults)
        sub.set_defaults(run=run)
        return sub

    sub = command("data", data, "Which data sets are here, with their checksums.")
    sub.add_argument("name", nargs="*", metavar="NAME", help=f"fetch these: {', '.join(NAMES)}")
    _train_arguments(command("train", train, "Train a model and save it."))
    _evaluate_arguments(
        command("evaluate", evaluate, "The test −ELBO, NLL and active units of a saved model.")
    )
    _reproduce_arguments(command("reproduce", reproduce, "Run a named experiment again."))
    bench.add_arguments(command("bench", bench.run, "Time the training loop on this machine."))
    return top


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of each option that has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_none = action.default is None or action.default is False
        return action.help if has_none else super()._get_help_string(action)


def data(options: argparse.Namespace) -> None:
    """Fetch the data sets named, then print what is here."""
    for name in options.name:
        load_images(name)
    print(report())


def _train_arguments(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("--out", type=Path, required=True, metavar="FILE.safetensors", help="where to save it")
    add("--force", action="store_true", help="replace FILE.safetensors where it exists")
    add("--model", choices=("ae", "vae"), default="vae", help="the model")
    add("--latent", type=_count, default=20, metavar="N", help="latent dimensions")
    add("--net", choices=NETS, default="mlp", help="encoder and decoder")
    add("--likelihood", choices=("bernoulli", "gaussian"), default="bernoulli", help="of the VAE")
    add("--data", choices=NAMES, help="the data set; without it mnist, else mnist-5k")
    add("--steps", type=_count, default=5_000, metavar="N", help="gradient steps")
    add("--batch", type=_count, default=128, metavar="N", help="images a step")
    add("--lr", type=float, default=2e-3, metavar="X", help="the highest learning rate")
    add("--seed", type=int, default=0, metavar="N", help="of weights, order and samples")
    add("--bf16", action="store_true", help="run the networks in bfloat16")
    add("--device", type=_device, help="cpu, cuda …; without it a GPU if there is one")
    add("--checkpoint", type=Path, metavar="FILE", help="keep the state here; go on from it")


def train(options: argparse.Namespace) -> None:
    """Train a model and write it to options.out."""
    if options.out.suffix != ".safetensors":
        raise ValueError(f"--out {options.out}: the name must end in .safetensors.")
    if options.out.exists() and not options.force:
        raise FileExistsError(f"{options.out} exists; --force replaces it.")
    if options.model == "ae" and options.likelihood != "bernoulli":
        raise ValueError("An autoencoder has no likelihood: leave --likelihood out.")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with seeded(options.seed):
        if options.model == "ae":
            model: Model = AE(options.latent, options.net)
        else:
            model = VAE(options.latent, options.net, likelihood=options.likelihood)
    images = load_images(options.data)
    settings = {name: getattr(options, name) for name in ("steps", "batch", "lr", "seed", "bf16")}
    history = training.fit(
        model, images, **settings, device=options.device, checkpoint=options.checkpoint
    )
    if history.interrupted:
        print("The model of an interrupted run is not saved; with --checkpoint it can go on.")
        raise KeyboardInterrupt
    about = {name: str(value) for name, value in settings.items()}
    save(model, options.out, data=images.name, data_checksum=images.checksum, **about)
    print(f"{options.out}: {type(model).__name__} after {history.seconds:.1f} s of training")


def _evaluate_arguments(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("file", type=Path, metavar="FILE.safetensors", help="a model saved by train")
    add("--data", choices=NAMES, help="the data set; without it the one it was trained on")
    add("--k", type=_count, default=500, metavar="N", help="importance samples an image, for NLL")
    add("--images", type=_count, default=1_000, metavar="N", help="first test images, for NLL")


def evaluate(options: argparse.Namespace) -> None:
    """Print the test −ELBO, NLL and active units of the model in options.file."""
    model = load(options.file)
    if not hasattr(model, "log_weights"):
        raise ValueError(
            f"{options.file} holds an {type(model).__name__}, which gives no density: it has no "
            "ELBO and no NLL."
        )
    with safe_open(options.file, "pt") as file:
        trained = file.metadata().get("data", "unknown data")
    data = options.data or trained
    if data not in NAMES:
        raise ValueError(f"{options.file} does not say what it was trained on: give --data.")
    if data == "mnist-5k" and trained not in ("mnist-5k", "fashion-mnist"):
        raise ValueError(
            f"{options.file} was trained on {trained}. The digits of mnist-5k are MNIST training "
            "images, so it may have seen them: evaluate it on --data mnist."
        )
    test = load_images(data).test
    if options.images > len(test):
        raise ValueError(f"--images {options.images}: {data} has {len(test):,} test images.")
    print(f"{options.file}: {type(model).__name__} {model.config}, trained on {trained}")
    fixed = data == "binarized-mnist" and model.observation == "binary"
    print(f"observed: {FIXED if fixed else OBSERVED[model.observation]}")
    print(f"−ELBO {-elbo(model, test)}: {len(test):,} test images of {data}, 1 sample each")
    part = test[: options.images]
    print(
        f"NLL   {nll(model, part, k=options.k)}: the first {len(part):,} of them, k={options.k} "
        "importance samples each (an upper bound in expectation)"
    )
    print(f"active units {active_units(model, test).count} of {model.latent}")
    print("± is the standard error of the mean over images.")
    if data == "mnist-5k":
        print("mnist-5k's own test split: not comparable with published figures.")


def _reproduce_arguments(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    which = sub.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME", help=", ".join(experiments.NAMES))
    which.add_argument("--list", action="store_true", help="the experiments and their results")
    add("--profile", choices=PROFILES, help="full: by the published recipes; smoke: a trial")
    add("--shard", metavar="I/N", help="only the runs of share I of N, such as 1/3")
    add("--again", action="store_true", help="make anew what is already there")
    add("--results", type=Path, default=experiments.RESULTS, metavar="DIR", help="for NAME.json")
    add("--work", type=Path, default=experiments.WORK, metavar="DIR", help="for unfinished runs")


def reproduce(options: argparse.Namespace) -> None:
    """Run an experiment, or list them."""
    if options.list:
        print("\n".join(map(experiments.describe, experiments.NAMES)))
        return
    if options.profile:
        os.environ["VAEUTIL_PROFILE"] = options.profile
    experiments.reproduce(
        options.name,
        options.shard,
        again=options.again,
        results=options.results,
        work=options.work,
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _device(text: str) -> torch.device:
    try:
        device = torch.device(text)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used here: {reason}") from error
    return device


if __name__ == "__main__":
    sys.exit(main())
