"""Normalizing flows: invertible maps of R^dim, each with the logarithm of |det| of its Jacobian.

Every flow maps forward and back, and both ways return (value, log|det|) of the direction taken:

    y, log_det = flow(z, context)            log_det = log |det ∂y/∂z|
    z, log_det = flow.inverse(y, context)    log_det = log |det ∂z/∂y|

z, y: [..., dim]; log_det: [...]. With `context` > 0 the map depends on a second input of that
size, [batch, context], which broadcasts with z: a posterior's flow takes what the encoder says of
the image. All but the planar layer start close to the identity.
"""

from vaeutil.flows.compose import (
    Composition,
    FlowDistribution,
    Permutation,
    Reversed,
    autoregressive,
    coupling,
    planar,
)
from vaeutil.flows.layers import AffineCoupling, Autoregressive, Flow, Masked, Planar
from vaeutil.flows.scale import Scale

__all__ = [
    "AffineCoupling",
    "Autoregressive",
    "Composition",
    "Flow",
    "FlowDistribution",
    "Masked",
    "Permutation",
    "Planar",
    "Reversed",
    "Scale",
    "autoregressive",
    "coupling",
    "planar",
]
