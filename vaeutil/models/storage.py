"""Models to and from safetensors files: the weights, and the arguments that build the model."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vaeutil.files import atomic
from vaeutil.models.activated import ActivatedIWAE
from vaeutil.models.ae import AE
from vaeutil.models.auxiliary import AuxiliaryVAE
from vaeutil.models.base import Model
from vaeutil.models.beta import BetaVAE
from vaeutil.models.binary_fvae import BinaryFVAE
from vaeutil.models.causal import CausalVAE
from vaeutil.models.completion import CompletionNet, CompletionVAE
from vaeutil.models.cvae import CVAE
from vaeutil.models.density import FlowDensity
from vaeutil.models.flow import FlowVAE
from vaeutil.models.full import FullVAE
from vaeutil.models.fvae import FVAE
from vaeutil.models.gallery import Gallery
from vaeutil.models.gan import GAN
from vaeutil.models.infovae import CausalInfoVAE, InfoVAE
from vaeutil.models.iwae import IWAE
from vaeutil.models.pixel_flow import PixelFlow
from vaeutil.models.priors import PriorVAE
from vaeutil.models.vae import VAE
from vaeutil.models.visible import VisibleVAE
from vaeutil.models.warm import WarmVAE

CLASSES = {
    cls.__name__: cls
    for cls in (
        AE,
        ActivatedIWAE,
        AuxiliaryVAE,
        BetaVAE,
        BinaryFVAE,
        CVAE,
        CausalInfoVAE,
        CausalVAE,
        CompletionNet,
        CompletionVAE,
        FVAE,
        FlowDensity,
        FlowVAE,
        FullVAE,
        GAN,
        Gallery,
        IWAE,
        InfoVAE,
        PixelFlow,
        PriorVAE,
        VAE,
        VisibleVAE,
        WarmVAE,
    )
}


def save(model: Model, path, *, half: bool = False, **about: str) -> None:
    """Write the weights and the model's description to a safetensors file, atomically.

    half stores float16, enough for pictures (at most one grey level off). `about` holds further
    words to keep beside them (strings: data set, seed …).
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: t.detach().cpu().to(dtype).contiguous() for name, t in model.state_dict().items()
    }
    with atomic(path) as temporary:
        save_file(tensors, temporary, metadata={**about, **describe(model)})


def load(path) -> Model:
    """Read a model written by `save`, in float32 on the CPU, ready to evaluate.

    Nothing is unpickled. Raises FileNotFoundError, or ValueError when the file is no safetensors
    file, is cut short, or holds no model of this package.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    if about.get("model") not in CLASSES:
        raise ValueError(
            f"{path} holds no model of vaeutil ({', '.join(CLASSES)}); its description: {about}."
        )
    model = CLASSES[about["model"]](**json.loads(about["config"]))
    model.load_state_dict(tensors)
    return model.eval()


def describe(model: Model) -> dict[str, str]:
    """The model's class and arguments, as the strings a safetensors file keeps."""
    return {"model": type(model).__name__, "config": json.dumps(model.config, sort_keys=True)}
