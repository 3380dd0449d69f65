"""What all providers share that find domains instead of reading them."""

from typing import ClassVar

from jaxtyping import Bool, Float, Int
from numpy import ndarray
from pydantic import Field

from dgfas.core.collapse import CollapseWatch
from dgfas.core.config import Strict
from dgfas.core.seeding import stable_rng, stable_seed
from dgfas.domains.clustering import check_enough
from dgfas.domains.diagnostics import describe, discrepancy, notes_on_cells, warn_of_collapse
from dgfas.domains.provider import Assignment, DomainProvider, FrameTable


class FoundOptions(Strict):
    """`k` domains, named again every `recluster_every` iterations; None for a tenth of the run."""

    provider: str
    k: int = Field(default=3, ge=2)  # D2AM and PDL-FAS, implementation details: 3
    recluster_every: int | None = Field(default=None, ge=1)


class FoundDomains(DomainProvider):
    """Domains that are found anew at every clustering."""

    Options: ClassVar[type[Strict]] = FoundOptions

    def __init__(self, options: FoundOptions, seed: int) -> None:
        self.n_domains = options.k
        self.recluster_every = options.recluster_every
        self.seed = seed
        self.watch = CollapseWatch()

    def check(self, live: Bool[ndarray, " n"]) -> None:
        """Raise UserError if a class has fewer frames than there shall be domains."""
        check_enough(live, self.n_domains)

    def seed_for(self, *purpose: object) -> int:
        """Return the seed of one random decision of this provider."""
        return stable_seed(self.seed, "domains", type(self).__name__, *purpose)

    def report(
        self,
        domain: Int[ndarray, " n"],
        features: Float[ndarray, "n d"],
        frames: FrameTable,
        clustering: int,
        previous: Int[ndarray, " n"] | None,
    ) -> Assignment:
        """Return the assignment with what the record shows of it; warn if the domains have collapsed."""
        log = describe(domain, self.n_domains, frames.live, frames.given_domain, previous)
        rng = stable_rng(self.seed_for("discrepancy", clustering))
        log["mmd_found"] = discrepancy(features, domain, rng)
        if frames.given_domain is not None:
            log["mmd_given"] = discrepancy(features, frames.given_domain, rng)
        warn_of_collapse(self.watch, log, self.n_domains)
        return Assignment(domain, log, tuple(notes_on_cells(domain, self.n_domains, frames.live)))
