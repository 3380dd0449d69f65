"""What a reader of a data set yields: recordings, not yet decoded."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dgfas.core.label import Label

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

#: Species whose surface is flat, so that their depth map is zero. Others get an unknown depth.
PLANAR_SPECIES = frozenset({"print", "replay", "cut", "photo", "display"})


#: Factors that readers of data sets use, and by which protocols choose; any other name may be a factor too.
#: device: the camera; session: the visit or place; condition: light, background or the way the attack is held.
#: The attack instrument stands in the species, after a slash ("replay/ipad").
KNOWN_FACTORS = ("device", "session", "condition")


@dataclass(frozen=True)
class Recording:
    """One capture of one presentation by one camera in one place.

    `sources` holds one video or photo, or the extracted frames in temporal order. `label` is None where it is
    not known (data for scoring only). `species` is "live" for bona fide presentations, else the kind of attack
    instrument ("print", "replay", "cut", "mask", ...), with the device where known ("replay/ipad"). `name` is unique
    within `domain`. `factors` become columns of the manifest, see `KNOWN_FACTORS`.
    """

    domain: str
    subject: str
    name: str
    split: Split
    label: Label | None
    species: str
    sources: tuple[Path, ...]
    factors: dict[str, str] = field(default_factory=dict)

    @property
    def planar(self) -> bool:
        """Whether the surface in front of the camera is a flat attack instrument (its depth map is zero)."""
        return self.label is Label.SPOOF and self.species.split("/")[0] in PLANAR_SPECIES
