"""What a frame looks like apart from its class: statistics of image or network features, one row a frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

#: Which statistics of the network under training a provider reads; methods/style.py collects them.
StyleKind = Literal["d2am", "pdl"]


@dataclass(frozen=True)
class Style:
    """Statistics of all training frames, in named blocks of columns.

    `features (n, d)`; `blocks` gives each block's name and width in the order of the columns, for example
    `(("stage1/mean", 32), ("stage1/std", 32))`; `notes` says where the statistics come from, for the run record.
    """

    features: Float[ndarray, "n d"]
    blocks: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()

    def names(self, kind: str) -> list[str]:
        """Return the names of the blocks that end in `/kind`, for example of all means."""
        return [name for name, _ in self.blocks if name.endswith(f"/{kind}")]

    def block(self, name: str) -> Float[ndarray, "n c"]:
        """Return the columns of block `name`."""
        first = 0
        for block, width in self.blocks:
            if block == name:
                return self.features[:, first : first + width]
            first += width
        raise KeyError(name)

    def select(self, names: Sequence[str]) -> Float[ndarray, "n c"]:
        """Return the columns of the blocks `names`, side by side."""
        return np.concatenate([self.block(name) for name in names], axis=1)
