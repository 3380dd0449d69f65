"""Live or spoof: binary cross-entropy."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def binary_cross_entropy(
    logit: Float[Tensor, " b"], live: Float[Tensor, " b"], weight: Float[Tensor, " b"] | None = None
) -> Float[Tensor, ""]:
    """Return -mean(w (y log p + (1 - y) log(1 - p))), p = sigmoid(logit), y = 1 for live; w = 1 where not given.

    RFM eq. 1 and 3 (printed there without the minus sign and as a sum).
    """
    return F.binary_cross_entropy_with_logits(logit, live, weight)
