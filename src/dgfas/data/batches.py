"""Batches that hold as many live as spoof frames of every domain, drawn as a function of the iteration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.seeding import stable_rng
from dgfas.data.frames import PackedFrames


@dataclass(frozen=True)
class Batch:
    """Frames on the training device: as many for each domain, in the order of the domains.

    `domain` is each frame's own: another than its place says where the frame stands in for an empty cell (see
    `BalancedSampler`).

    `images (B, 6, S, S)` in [0, 1]; `depth (B, 1, S/8, S/8)` in [0, 1], 1 = nearest; `depth_known (B,)`;
    `live (B,)` 1.0 for live and 0.0 for spoof; `domain (B,)` in 0..D-1; `row (B,)` the training row of each frame.
    """

    images: Float[Tensor, "b 6 s s"]
    depth: Float[Tensor, "b 1 d d"]
    depth_known: Bool[Tensor, " b"]
    live: Float[Tensor, " b"]
    domain: Int[Tensor, " b"]
    row: Int[Tensor, " b"]
    n_domains: int

    def by_domain(self) -> list["Batch"]:
        """Split into one batch a domain, in the order of the domains."""
        size = len(self.live) // self.n_domains
        return [self[k * size : (k + 1) * size] for k in range(self.n_domains)]

    def __getitem__(self, part: slice) -> "Batch":
        """Return the frames of `part`, to be used as one domain's batch."""
        return Batch(
            self.images[part],
            self.depth[part],
            self.depth_known[part],
            self.live[part],
            self.domain[part],
            self.row[part],
            n_domains=1,
        )


def join(batches: Sequence[Batch]) -> Batch:
    """Put batches of equal size behind each other; the inverse of `Batch.by_domain`."""
    fields = ("images", "depth", "depth_known", "live", "domain", "row")
    joined = {name: torch.cat([getattr(batch, name) for batch in batches]) for name in fields}
    return Batch(**joined, n_domains=sum(batch.n_domains for batch in batches))


class BalancedSampler:
    """Which rows form the batch of an iteration.

    Every (domain, class) cell is walked through in a fresh random order each time it is used up. The rows of an
    iteration are a function of the seed and the iteration alone, so a resumed run continues where it stopped.
    A cell without frames draws from all frames of its class (a pseudo-domain may lack a class).
    """

    def __init__(
        self, live: Bool[ndarray, " n"], domain: Int[ndarray, " n"], n_domains: int, batch_per_class: int, seed: int
    ) -> None:
        """Raises UserError if a class has no frames at all."""
        self.n_domains = n_domains
        self.batch_per_class = batch_per_class
        self.seed = seed
        self.pools: list[tuple[str, Int[ndarray, " m"]]] = []
        for k in range(n_domains):
            for label in (Label.LIVE, Label.SPOOF):
                of_class = live == (label is Label.LIVE)
                if not of_class.any():
                    raise UserError(f"the training frames hold no {label.word} frame; both classes are needed")
                pool = np.flatnonzero(of_class & (domain == k))
                self.pools.append((f"{k}/{label.word}", pool if len(pool) else np.flatnonzero(of_class)))
        self._epochs = [(-1, pool) for _, pool in self.pools]  # the order drawn last, a cell

    def rows(self, iteration: int, rank: int = 0, world_size: int = 1) -> Int[ndarray, " b"]:
        """Return the rows of one process's batch: for each domain its live rows, then its spoof rows."""
        first = (iteration * world_size + rank) * self.batch_per_class
        draws = range(first, first + self.batch_per_class)
        return np.array([self._draw(cell, draw) for cell in range(len(self.pools)) for draw in draws])

    def _draw(self, cell: int, draw: int) -> int:
        name, pool = self.pools[cell]
        epoch, position = divmod(draw, len(pool))
        if self._epochs[cell][0] != epoch:
            self._epochs[cell] = (epoch, stable_rng(self.seed, "sampler", name, epoch).permutation(pool))
        return int(self._epochs[cell][1][position])


class BatchLoader:
    """Turns rows into a `Batch` on a device: a byte copy from the packed frames, the rest on the device."""

    def __init__(
        self,
        packed: Sequence[PackedFrames],
        position: Int[ndarray, "n 2"],
        live: Bool[ndarray, " n"],
        device: torch.device,
    ) -> None:
        """`position[i]` = (data set, row in it) of training row i."""
        self.packed = packed
        self.position = position
        self.live = live
        self.device = device

    def images(self, rows: Int[ndarray, " b"]) -> Float[Tensor, "b 6 s s"]:
        """Return the network input of `rows`, values in [0, 1]."""
        return self._unit(self._gather("images", rows, np.zeros(len(rows), dtype=bool)))

    def chunks(self, size: int = 64) -> Iterator[Float[Tensor, "b 6 s s"]]:
        """Yield the network input of all rows in order, `size` at a time, for forward passes without gradient.

        In memory the channels are last, which makes these 1.4 to 1.9x as fast on a CPU; the values are the same.
        """
        for first in range(0, len(self.position), size):
            images = self.images(np.arange(first, min(first + size, len(self.position))))
            yield images.contiguous(memory_format=torch.channels_last)

    def batch(
        self, rows: Int[ndarray, " b"], domain: Int[ndarray, " n"], n_domains: int, mirrored: Bool[ndarray, " b"]
    ) -> Batch:
        """Return the batch of `rows`; frames with `mirrored` set are flipped left to right, with their depth."""
        images = self._unit(self._gather("images", rows, mirrored))
        depth = self._unit(self._gather("depth", rows, mirrored)).unsqueeze(1)
        known = np.array([self.packed[s].depth_known[r] for s, r in self.position[rows]])
        return Batch(
            images=images,
            depth=depth,
            depth_known=torch.from_numpy(known).to(self.device),
            live=torch.from_numpy(self.live[rows]).to(self.device, images.dtype),
            domain=torch.from_numpy(domain[rows].astype(np.int64)).to(self.device),
            row=torch.from_numpy(rows.astype(np.int64)).to(self.device),
            n_domains=n_domains,
        )

    def _gather(self, field: str, rows: Int[ndarray, " b"], mirrored: Bool[ndarray, " b"]) -> Tensor:
        """Copy bytes, flipping on the way: a quarter of what flipping the floats would move."""
        frames = (getattr(self.packed[s], field)[r] for s, r in self.position[rows])
        turned = [frame[..., ::-1] if flip else frame for frame, flip in zip(frames, mirrored, strict=True)]
        return torch.from_numpy(np.stack(turned)).to(self.device, non_blocking=True)

    def _unit(self, levels: Tensor) -> Tensor:
        return levels.to(torch.get_default_dtype()).div_(255)
