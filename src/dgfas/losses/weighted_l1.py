"""MetaReg's regulariser: an L1 norm with a weight for every entry."""

from jaxtyping import Float
from torch import Tensor


def weighted_l1(weight: Float[Tensor, "..."], importance: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Return sum_i importance_i |weight_i|; both of one shape, `importance` not below 0. MetaReg, R_phi(theta)."""
    return (importance * weight.abs()).sum()
