"""Maximum mean discrepancy: how far apart two samples are, whatever their distributions."""

import torch
from jaxtyping import Float
from torch import Tensor

#: Bandwidths as multiples of the mean squared distance: five Gaussian kernels, each twice as wide as the one before.
BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def mean_squared_distance(squared: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """Return the mean over pairs of different points, as a constant."""
    n = len(squared)
    return (squared.detach().sum() / (n * n - n)).clamp(min=1e-12)


def squared_mmd(a: Float[Tensor, "m d"], b: Float[Tensor, "n d"], scale: float | None = None) -> Float[Tensor, ""]:
    """Return the squared MMD of two samples, the biased estimate with all pairs: never negative, 0 for a = b.

    || mean phi(a) - mean phi(b) ||^2, D2AM eq. 9, in the space of the sum of Gaussian kernels
    exp(-|x - y|^2 / (h s)), h in `BANDWIDTHS`; s is `scale`, or the mean squared distance in a and b together, held
    constant. Without a `scale` the value does not change if both samples shrink alike.
    """
    joint = torch.cat([a, b])
    squared = (joint[:, None] - joint[None]).square().sum(dim=2)
    width = mean_squared_distance(squared) if scale is None else scale
    kernel = torch.stack([torch.exp(-squared / (bandwidth * width)) for bandwidth in BANDWIDTHS]).sum(dim=0)
    m = len(a)
    return kernel[:m, :m].mean() + kernel[m:, m:].mean() - 2 * kernel[:m, m:].mean()
