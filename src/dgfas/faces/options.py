"""How recordings become crops; everything here but the last part decides what lands on disk."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from dgfas.core.errors import UserError, nearest
from dgfas.core.files import read_json
from dgfas.core.manifest import PREPARED_NAME

DETECTORS = ("blazeface", "given", "none")
ALIGNMENTS = ("none", "eyes")


@dataclass(frozen=True)
class PrepareOptions:
    """Settings of a preparation. Raises UserError if a value is out of range.

    `frames_per_recording` of every `stride`-th frame, the middles of equal parts (None: all of them). The crop is a
    square of `size` pixels around the face's box, enlarged by `margin` of its side on each side, turned until the eyes
    are level if `align` is "eyes". `detector`: "blazeface" finds the face and takes the box of its mesh, "given" takes
    the data set's boxes, "none" takes the whole image (already cropped). `depth_size`: side of the depth map.

    `max_rejected` (recordings; None: any number short of all) and `workers` (processes) do not change the result.
    """

    frames_per_recording: int | None = 8
    stride: int = 1
    margin: float = 0.15
    size: int = 256
    detector: Literal["blazeface", "given", "none"] = "blazeface"
    align: Literal["none", "eyes"] = "none"
    depth_size: int = 32
    max_rejected: int | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("frames_per_recording", "stride", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{name} is {value}; it must be at least 1")
        if not 0 <= self.margin <= 2:
            raise UserError(f"margin is {self.margin}; it is the share of the box added on each side, from 0 to 2")
        if not 32 <= self.size <= 1024:
            raise UserError(f"size is {self.size}; the side of a crop is from 32 to 1024 pixels")
        if not 4 <= self.depth_size <= self.size:
            raise UserError(f"depth_size is {self.depth_size}; it must be from 4 to the crop's {self.size}")
        if self.max_rejected is not None and self.max_rejected < 0:
            raise UserError(f"max_rejected is {self.max_rejected}; it is a number of recordings, 0 or more")
        for name, valid in (("detector", DETECTORS), ("align", ALIGNMENTS)):
            if getattr(self, name) not in valid:
                raise UserError(f"{name} {getattr(self, name)!r} is not known; {nearest(getattr(self, name), valid)}")
        if self.align == "eyes" and self.detector != "blazeface":
            raise UserError("align 'eyes' needs the eyes that detector 'blazeface' finds; use align 'none'")

    @classmethod
    def of_data_set(cls, root: Path) -> "PrepareOptions | None":
        """Return the settings by which the data set in `root` was prepared; None for one that was simulated."""
        path = root / PREPARED_NAME
        if not path.is_file():
            return None
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in read_json(path).items() if name in known})

    @property
    def content(self) -> dict[str, object]:
        """The settings that decide what lands on disk."""
        return {name: value for name, value in asdict(self).items() if name not in ("max_rejected", "workers")}
