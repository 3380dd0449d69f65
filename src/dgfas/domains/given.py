"""Domains as the manifest names them: the data set that a frame is from."""

from collections.abc import Callable
from typing import ClassVar, Literal

from jaxtyping import Int
from numpy import ndarray

from dgfas.core.config import Strict
from dgfas.core.errors import UserError
from dgfas.domains.diagnostics import describe, notes_on_cells
from dgfas.domains.provider import Assignment, DomainProvider, FrameTable
from dgfas.domains.style import Style


class GivenOptions(Strict):
    provider: Literal["given"] = "given"


class GivenDomains(DomainProvider):
    """One domain a data set; never changes (D2AM table 3, "w/ d")."""

    Options = GivenOptions
    reclusters: ClassVar[bool] = False

    def __init__(self, n_given_domains: int | None) -> None:
        """Raises UserError if the data name no domains."""
        if n_given_domains is None:
            raise _no_domains()
        self.n_domains = n_given_domains

    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Return the domains of the manifest, whatever the clustering."""
        if frames.given_domain is None:
            raise _no_domains()
        log = describe(frames.given_domain, self.n_domains, frames.live, None, None)
        notes = notes_on_cells(frames.given_domain, self.n_domains, frames.live)
        return Assignment(frames.given_domain, log, tuple(notes))


def _no_domains() -> UserError:
    return UserError(
        "domains.provider: 'given' needs the domain of every frame, but the training data are a mixture without "
        "domains; set domains.provider to d2am, pdl or random"
    )
