"""A VAE with the activation of a published recipe, where the book's networks have GELU."""

from torch import nn

from vaeutil.models.iwae import IWAE

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}


class ActivatedIWAE(IWAE):
    """An IWAE, at k=1 a VAE with a sampled KL, whose hidden layers have another activation.

    The published VAEs of the years 2013 to 2016 have tanh or ReLU. activation: one of ACTIVATIONS;
    the other arguments are those of `IWAE`.
    Raises ValueError for another one, for another net than "mlp", and as `IWAE` does.
    """

    def __init__(self, latent, net="mlp", *, activation="tanh", **others):
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; choose {', '.join(ACTIVATIONS)}.")
        if net != "mlp":
            raise ValueError(f"The published recipes have fully connected networks, not {net!r}.")
        super().__init__(latent, net, **others)
        for network in (self.encoder, self.decoder):
            for place, layer in enumerate(network):
                if isinstance(layer, nn.GELU):
                    network[place] = ACTIVATIONS[activation]()
        self.config |= {"activation": activation}
