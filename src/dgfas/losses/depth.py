"""Face depth: live faces have one, prints and screens are flat."""

from jaxtyping import Bool, Float
from torch import Tensor


def depth_error(
    predicted: Float[Tensor, "b 1 s s"],
    depth: Float[Tensor, "b 1 s s"],
    known: Bool[Tensor, " b"],
    weight: Float[Tensor, " b"] | None = None,
) -> Float[Tensor, ""]:
    """Return the squared error, averaged over pixels and over the frames whose depth is known; 0 if none is.

    RFM eq. 2 and 4 (a sum there; the mean over pixels everywhere here). `weight` multiplies each frame's error.
    """
    error = (predicted - depth).square().mean(dim=(1, 2, 3))
    if weight is not None:
        error = error * weight
    kept = known.to(error.dtype)
    return (error * kept).sum() / kept.sum().clamp(min=1)
