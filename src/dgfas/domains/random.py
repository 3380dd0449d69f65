"""Domains drawn by lot: the control that shows what simulated domain shift is worth."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from dgfas.core.seeding import stable_rng
from dgfas.domains.diagnostics import describe
from dgfas.domains.found import FoundDomains, FoundOptions
from dgfas.domains.provider import Assignment, FrameTable
from dgfas.domains.style import Style


class RandomOptions(FoundOptions):
    provider: Literal["random"] = "random"


class RandomDomains(FoundDomains):
    """Deal the live and the spoof frames to k domains of equal size, anew each time (D2AM table 3, "w/o d")."""

    Options = RandomOptions

    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Return random domains; frames of a class are dealt as evenly as their number allows."""
        self.check(frames.live)
        domain = np.empty(len(frames.live), dtype=np.int64)
        rng = stable_rng(self.seed_for(clustering))
        for of_class in (frames.live, ~frames.live):
            rows = np.flatnonzero(of_class)
            domain[rng.permutation(rows)] = np.arange(len(rows)) % self.n_domains
        return Assignment(domain, describe(domain, self.n_domains, frames.live, frames.given_domain, previous))
