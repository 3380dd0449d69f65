"""The encoder's normalisation layers, by name."""

from collections.abc import Callable

from torch import nn

from dgfas.core.errors import UserError, nearest

#: name -> a layer for a number of channels
NORMALIZATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
}


def normalization(name: str) -> Callable[[int], nn.Module]:
    """Return the maker of normalisation layer `name`. Raises UserError naming the nearest valid names."""
    if name not in NORMALIZATIONS:
        raise UserError(f"network.normalization: unknown normalisation {name!r}; {nearest(name, NORMALIZATIONS)}")
    return NORMALIZATIONS[name]
