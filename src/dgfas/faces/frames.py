"""The chosen frames of a recording, whether it is a video, a photo or a row of extracted frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.datasets.folder import IMAGE_SUFFIXES, natural_order
from dgfas.faces.images import read_image
from dgfas.faces.source import InMemory
from dgfas.faces.video import VideoLimits, frame_count, read_frames


@dataclass(frozen=True)
class FrameRead:
    """A frame at its `position` in the recording; `image` is None, with a `reason`, where it could not be read."""

    position: int
    image: UInt8[np.ndarray, "h w 3"] | None
    reason: str | None = None


def choose_positions(total: int, count: int | None, stride: int) -> list[int]:
    """Choose every `stride`-th of `total` frames, and of those the middles of `count` equal parts (None: all of them).

    Returns increasing positions from 0 on.
    """
    candidates = list(range(0, total, stride))
    if count is None or count >= len(candidates):
        return candidates
    return [candidates[int((part + 0.5) * len(candidates) / count)] for part in range(count)]


def is_image(path: Path) -> bool:
    """Whether a file is treated as a photo (by its suffix); any other is tried as a video."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def sources_of(path: Path) -> tuple[Path, ...]:
    """Return the files of a recording that is one video, one photo or a folder of frames, these in natural order.

    Raises UserError if the folder holds no image.
    """
    if not path.is_dir():
        return (path,)
    images = sorted((entry for entry in path.iterdir() if is_image(entry)), key=lambda entry: natural_order(entry.name))
    if not images:
        raise UserError(f"{path}: the folder holds no image")
    return tuple(images)


def read_video(
    video: Path | InMemory, count: int | None, stride: int, limits: VideoLimits | None = None
) -> Iterator[FrameRead]:
    """Yield the chosen frames of a video, last those that its header promises and that cannot be decoded.

    Raises TooLarge beyond the `limits`, UserError if the video is unreadable or no chosen frame can be decoded.
    """
    total = frame_count(video, limits)
    positions = choose_positions(total, count, stride)
    decoded = 0
    for position, image in read_frames(video, positions, limits):
        decoded += 1
        yield FrameRead(position, image)
    if positions and not decoded:
        raise UserError(f"{video}: none of its chosen frames can be decoded")
    for position in positions[decoded:]:
        yield FrameRead(position, None, f"{video}: fewer than its {total} frames can be decoded")


def read_recording(sources: Sequence[Path], count: int | None, stride: int) -> Iterator[FrameRead]:
    """Yield the chosen frames of a recording: one video, one photo, or extracted frames in temporal order.

    An unreadable one among several frames is yielded with its reason. Raises UserError if nothing can be read.
    """
    if len(sources) == 1 and not is_image(sources[0]):
        yield from read_video(sources[0], count, stride)
        return
    for position in choose_positions(len(sources), count, stride):
        try:
            yield FrameRead(position, read_image(sources[position]))
        except UserError as error:
            if len(sources) == 1:
                raise
            yield FrameRead(position, None, str(error))
