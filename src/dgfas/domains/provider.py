"""Who names the domains: what training asks of a provider."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from dgfas.core.config import Strict
from dgfas.core.errors import UserError
from dgfas.domains.style import Style, StyleKind


@dataclass(frozen=True)
class FrameTable:
    """The training frames, as far as naming their domains needs them.

    `live (n,)`; `given_domain (n,)` the data set of each frame in 0..D-1, or None where the data are a mixture;
    `image_features(weights)` returns statistics of the images alone: of ImageNet features where `weights` (a ResNet-18
    state dict) or the extra `imagenet` is there, of colour and sharpness otherwise.
    """

    live: Bool[ndarray, " n"]
    given_domain: Int[ndarray, " n"] | None
    image_features: Callable[[Path | None], Style]


@dataclass(frozen=True)
class Assignment:
    """The domain of every training frame, and what the run record and TensorBoard show of it.

    `domain (n,)` in 0..n_domains-1; `log` has sizes, mutual informations and distances; `notes` are sentences.
    """

    domain: Int[ndarray, " n"]
    log: dict[str, float]
    notes: tuple[str, ...] = ()

    def save(self, folder: Path, clustering: int) -> Path:
        """Write domains, log and notes to `folder/clustering_NNN.npz` and return that path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"clustering_{clustering:03d}.npz"
        names = np.array(list(self.log), dtype=str)
        values = np.array(list(self.log.values()), dtype=float)
        np.savez_compressed(
            path, domain=self.domain, log_names=names, log_values=values, notes=np.array(self.notes, dtype=str)
        )
        return path

    @classmethod
    def read(cls, path: Path) -> "Assignment":
        """Read what `save` wrote. Raises UserError if the file is not that."""
        try:
            with path.open("rb") as file, np.load(file) as stored:
                log = dict(zip(stored["log_names"].tolist(), stored["log_values"].tolist(), strict=True))
                return cls(stored["domain"], log, tuple(stored["notes"].tolist()))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise UserError(f"{path}: is damaged ({error}); train the run again") from error


class DomainProvider(ABC):
    """Names the domain of every training frame, at the start and, if it `reclusters`, again and again."""

    Options: ClassVar[type[Strict]]
    #: Whether domains change during training.
    reclusters: ClassVar[bool] = True
    #: Which statistics of the network `assign` reads; None if it asks for none.
    style_kind: ClassVar[StyleKind | None] = None

    n_domains: int
    recluster_every: int | None = None

    def check(self, live: Bool[ndarray, " n"]) -> None:  # noqa: B027
        """Raise UserError if these training frames, `live (n,)`, can never be named: before a run is begun."""

    @abstractmethod
    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Return the domains of clustering number `clustering`, counted from 0.

        `style()` passes all frames through the network (once, without gradient) and returns their statistics;
        `previous (n,)` are the domains of the clustering before, None at the first. Raises UserError on frames or
        statistics that cannot be divided.
        """

    def period(self, iterations: int) -> int | None:
        """Return after how many iterations domains are named again in a run of `iterations`; None for never."""
        if not self.reclusters:
            return None
        return self.recluster_every or max(1, iterations // 10)
