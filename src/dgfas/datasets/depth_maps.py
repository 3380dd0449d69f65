"""Depth maps that were made elsewhere (PRNet, 3DDFA), in a folder of the same shape as the data set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.folder import IMAGE_SUFFIXES


def with_depth_maps(recordings: Sequence[Recording], source: Path, maps: Path) -> list[Recording]:
    """Return the recordings; the live ones have the folder of their depth maps as factor `depth_maps`.

    What lies at `source`/a/b.jpg has its map in `maps`/a, the frames of `source`/a/b.avi have theirs in `maps`/a/b.
    Raises UserError if no live recording has such a folder.
    """
    found = []
    for recording in recordings:
        first = recording.sources[0]
        folder = maps / first.relative_to(source).with_suffix("")
        if first.suffix.lower() in IMAGE_SUFFIXES:
            folder = folder.parent
        if recording.label is Label.LIVE and folder.is_dir():
            recording = replace(recording, factors={**recording.factors, "depth_maps": str(folder)})
        found.append(recording)
    if not any("depth_maps" in recording.factors for recording in found):
        raise UserError(f"{maps}: holds no depth map of a live recording; it must have the same folders as {source}")
    return found
