"""What every model shares: two networks, and how to decode, reconstruct and sample with them."""

import torch
from torch import Tensor, nn

from vaeutil import nets

NETS = {
    "mlp": (nets.mlp_encoder, nets.mlp_decoder),
    "conv": (nets.conv_encoder, nets.conv_decoder),
}


class Model(nn.Module):
    """An encoder, a decoder, and a latent space of `latent` dimensions between them.

    Images are flat: [..., 784], pixels in [0, 1]; codes are [..., latent]. `hidden` gives the layer
    widths of net="mlp" and the base width of net="conv" (one number). Attributes:

    - `observation`: how pixels become the model's x ("binary", "grey" or "dequantised", see
      `vaeutil.data.observe`); it follows from the likelihood;
    - `unit`: the unit of the loss;
    - `config`: the arguments that build the same model again;
    - `fresh`: whether it has been neither trained nor loaded yet.

    Raises ValueError for a latent size or layer width that is not a positive whole number, or for
    an unknown net.
    """

    observation = "binary"
    unit = "nats"
    codes_per_latent = 1  # numbers the encoder gives for each latent dimension

    def __init__(self, latent: int, net: str = "mlp", hidden=None):
        super().__init__()
        if isinstance(latent, bool) or not isinstance(latent, int) or latent < 1:
            raise ValueError(f"The latent space needs at least one dimension, not {latent!r}.")
        if net not in NETS:
            raise ValueError(f"net is {net!r}; choose one of {', '.join(NETS)}.")
        if hidden is None:
            hidden = (500, 500) if net == "mlp" else 32
        make_encoder, make_decoder = NETS[net]
        self.latent = latent
        self.encoder = make_encoder(self.codes_per_latent * latent, hidden)
        self.decoder = make_decoder(latent, hidden)
        self.fresh = True  # until it is trained or loaded
        self.register_load_state_dict_post_hook(_loaded)
        shown = list(hidden) if net == "mlp" else hidden
        self.config = {"latent": latent, "net": net, "hidden": shown}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def encode(self, x: Tensor) -> Tensor:
        """The code of each image: [batch, 784] → [batch, latent]."""
        raise NotImplementedError

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """What training minimises, under "loss", then its named parts; means over the batch.

        x: [batch, 784]; y: class labels [batch], for models that use them.
        """
        raise NotImplementedError

    def preactivations(self, z: Tensor) -> Tensor:
        """The decoder's raw output in float32: [..., latent] → [..., 784]."""
        if z.shape[-1] != self.latent:
            raise ValueError(f"A code has {self.latent} numbers, not {z.shape[-1]}.")
        flat = z.reshape(-1, self.latent)  # one large matrix product is faster than many small
        return self.decoder(flat).float().reshape(*z.shape[:-1], nets.PIXELS)

    def decode(self, z: Tensor) -> Tensor:
        """The decoder's mean image: [..., latent] → [..., 784], in [0, 1]."""
        return self.preactivations(z).sigmoid()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Decode the codes of x: [batch, 784] → [batch, 784], means."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def start_at_mean(self, pixels: Tensor) -> None:
        """Set the output's bias so that training starts from the mean image, not from grey.

        pixels: uint8 [N, 28, 28] or [N, 784]. An optimiser that moves each weight by about the
        learning rate needs a thousand steps for this alone: the mean logit of MNIST's border is
        far from zero. (A convolutional decoder has one bias for all pixels: the mean over them.)
        """
        bias = [layer.bias for layer in self.decoder if getattr(layer, "bias", None) is not None][
            -1
        ]
        parts = pixels.flatten(1).split(500)  # small pieces stay in the cache: 13 times faster
        mean = sum(part.float().sum(0) for part in parts) / (255 * len(pixels))
        mean = mean if bias.numel() == nets.PIXELS else mean.mean().expand(bias.numel())
        bias.copy_(torch.logit(mean, eps=1e-3))

    def check_images(self, x: Tensor) -> Tensor:
        """Return x. Raises ValueError unless it is [batch, 784] of floating-point numbers."""
        if x.ndim != 2 or x.shape[-1] != nets.PIXELS or not x.is_floating_point():
            raise ValueError(
                f"x must be floats of shape [batch, 784], not {x.dtype} {list(x.shape)}; "
                "vaeutil.data.observe makes them from pixels."
            )
        return x


def _loaded(model: Model, _incompatible_keys) -> None:
    model.fresh = False
