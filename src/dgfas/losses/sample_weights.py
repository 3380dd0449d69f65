"""DRDG's weights of samples, put on one scale within each class: live and spoof have a module each."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def mean_one(weight: Float[Tensor, " b"], live: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Divide weights (not negative) by their mean over the samples of the class; `live` 1 or 0, both present.

    The order of weights is kept, but weights that all grow change nothing.
    """
    return weight / of_class(torch.mean, weight, live).clamp(min=1e-8)


def reversed_from_largest(weight: Float[Tensor, " b"], live: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Return 1 - weight / (largest weight of the class), in [0, 1]: the more, the less a sample weighs."""
    return 1 - weight / of_class(torch.max, weight, live).clamp(min=1e-8)


def of_class(
    statistic: Callable[[Tensor], Tensor], values: Float[Tensor, " b"], live: Float[Tensor, " b"]
) -> Float[Tensor, " b"]:
    """Return, for each sample, `statistic` of the values of all samples of its class."""
    is_live = live > 0.5
    return torch.where(is_live, statistic(values[is_live]), statistic(values[~is_live]))
