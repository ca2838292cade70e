"""The autoencoder: a bottleneck and a squared error, no density."""

from torch import Tensor

from vaeutil.models.base import Model


class AE(Model):
    """Autoencoder on grey pixels, loss ‖x − x̂‖², summed over pixels.

    It gives no density of images and none of codes, so it has no `log_weights` and no `sample`.
    """

    observation = "grey"
    unit = "squared error per image"

    def encode(self, x: Tensor) -> Tensor:
        """The code of each image: [batch, 784] → [batch, latent]."""
        return self.encoder(self.check_images(x)).float()

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """{"loss"}: the squared error, summed over pixels, mean over the batch."""
        error = (self.decode(self.encode(x)) - x).square().sum(-1)
        return {"loss": error.mean()}
