"""What lies below the folder of a published data set: its recordings, other files, archives that nobody unpacked."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.recording import Recording
from dgfas.datasets.folder import IMAGE_SUFFIXES, VIDEO_SUFFIXES, natural_order
from dgfas.datasets.walk import walk

ARCHIVE_SUFFIXES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".crdownload", ".part"})
#: Folders of other people's depth maps beside the frames.
PASSED_OVER = frozenset({"depth"})


@dataclass
class OnDisk:
    """The files below a folder; paths are relative to it."""

    recordings: list[Recording] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)  # photos and videos that are not of the data set
    left_out: int = 0
    archives: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_recordings(root: Path, describe: Callable[[str], Recording | None], left_out: Callable[[str], bool]) -> OnDisk:
    """Find the recordings below `root` by their names: videos, photos, and folders of extracted frames.

    A folder of images whose own path is described is one recording; any other image is one by itself. Symbolic links
    are followed, hidden files and prepared data sets passed over. Raises UserError if a folder or file cannot be read.
    """
    found = OnDisk()
    locked: list[Path] = []
    for place, files in walk(root, found.notes, PASSED_OVER):
        inside = place.relative_to(root)
        pictures = [name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES]
        videos = [name for name in files if Path(name).suffix.lower() in VIDEO_SUFFIXES]
        found.archives += [inside / name for name in files if is_archive(name)]
        locked += [place / name for name in pictures + videos if not _readable(place / name)]
        recording = describe(inside.as_posix()) if pictures else None
        if recording is not None:
            pictures.sort(key=natural_order)
            found.recordings.append(replace(recording, sources=tuple(place / name for name in pictures)))
            pictures = []
        for name in sorted(pictures + videos, key=natural_order):
            path = (inside / name).with_suffix("").as_posix()
            recording = describe(path)
            if recording is not None:
                found.recordings.append(replace(recording, sources=(place / name,)))
            elif left_out(path):
                found.left_out += 1
            else:
                found.unknown.append(inside / name)
    if locked:
        raise UserError(f"{locked[0]}: {_files(len(locked))} cannot be read; mend the permissions (chmod -R u+r)")
    return found


def is_archive(name: str) -> bool:
    """Whether a file is an archive or a part of one (`.zip`, `.part2.rar`, `.z01`, `.7z.001`)."""
    suffix = Path(name).suffix.lower()
    numbered = suffix[1:].isdigit() or (suffix[1:2] in ("z", "r") and suffix[2:].isdigit())
    return suffix in ARCHIVE_SUFFIXES or numbered


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids) or not path.exists()


def _files(count: int) -> str:
    return "the file" if count == 1 else f"this and {count - 1} more files"
