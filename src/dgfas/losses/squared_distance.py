"""How far features lie from a centre."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

ChannelReduction = Literal["mean", "sum"]


def squared_distance(
    features: Float[Tensor, "b c"], centre: Float[Tensor, " c"], channels: ChannelReduction = "mean"
) -> Float[Tensor, " b"]:
    """Return the squared difference of each sample from `centre`, averaged or summed over channels.

    ANRL eq. 6, 7, 9 and 10 before their mean over samples: "sum" is the usual squared norm, "mean" the released code's.
    """
    difference = (features - centre).square()
    return difference.mean(dim=1) if channels == "mean" else difference.sum(dim=1)
