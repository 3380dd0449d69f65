"""Domains drawn by lot: the control that shows what simulated domain shift is worth."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from dgfas.core.seeding import stable_rng
from dgfas.domains.provider import Assignment, DomainProvider, FoundOptions, FrameTable
from dgfas.domains.style import Style


class RandomOptions(FoundOptions):
    provider: Literal["random"] = "random"


class RandomDomains(DomainProvider):
    """Deal the live and the spoof frames to k domains of equal size, anew each time (D2AM table 3, "w/o d")."""

    Options = RandomOptions

    def __init__(self, options: RandomOptions, seed: int) -> None:
        self.n_domains = options.k
        self.recluster_every = options.recluster_every
        self.seed = seed

    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Return random domains; frames of a class are dealt as evenly as their number allows."""
        domain = np.empty(len(frames.live), dtype=np.int64)
        for of_class in (frames.live, ~frames.live):
            rows = np.flatnonzero(of_class)
            shuffled = stable_rng(self.seed, "random domains", clustering).permutation(rows)
            domain[shuffled] = np.arange(len(rows)) % self.n_domains
        return Assignment(domain, {})
