"""Read a published data set from its folder, or say in one line why that cannot be."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.manifest import is_data_set
from dgfas.core.recording import Recording
from dgfas.datasets.on_disk import OnDisk, find_recordings, is_archive
from dgfas.datasets.reader import Reader
from dgfas.datasets.registry import readers


@dataclass(frozen=True)
class Reading:
    """The recordings of a data set in its folder, in order of their names, what else lies there, and notes to print."""

    root: Path
    recordings: list[Recording]
    notes: list[str]
    unknown: list[Path]
    archives: list[Path]


def read_data_set(reader: Reader, root: Path) -> Reading:
    """Return the recordings of the data set in folder `root`, which may lie any number of folders deeper.

    Raises UserError if there is none (and says what the folder looks like instead), if a recording is there twice, if a
    person is in two splits, or if something cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        hint = "is an archive; unpack it first" if is_archive(root.name) and root.is_file() else "not a folder"
        raise UserError(f"{root}: {hint}")
    found = find_recordings(root, reader.describe, reader.left_out)
    if not found.recordings:
        raise UserError(f"{root}: {_why_none(reader, root, found)}")
    notes, recordings = found.notes, found.recordings
    if reader.finish is not None:
        recordings = reader.finish(root, recordings, notes)
    recordings = sorted(recordings, key=lambda recording: recording.name)
    _check_names(root, recordings)
    _check_subjects(root, recordings)
    if found.left_out:
        notes.append(f"{found.left_out} files of other purposes (enrolment) were left out")
    return Reading(root, recordings, notes, found.unknown, found.archives)


def _why_none(reader: Reader, root: Path, found: OnDisk) -> str:
    if is_data_set(root):
        return "is a prepared data set already; train with --data"
    for other in readers():
        here = sum(other.describe(path.with_suffix("").as_posix()) is not None for path in found.unknown)
        if here:
            return (
                f"looks like {other.title} ({here} of {len(found.unknown)} photos and videos are named so), not like "
                f"{reader.title}; say {other.word} or name the folder of {reader.title}"
            )
    if found.archives:
        return f"holds nothing of {reader.title} but {len(found.archives)} archives ({found.archives[0]}); unpack them"
    if not found.unknown:
        return f"holds no photo and no video; {reader.title} has files like {reader.example}"
    return (
        f"none of its {len(found.unknown)} photos and videos ({found.unknown[0]}, ...) is named as in {reader.title}: "
        f"{reader.example}"
    )


def _check_names(root: Path, recordings: list[Recording]) -> None:
    for one, other in itertools.pairwise(recordings):
        if one.name == other.name:
            places = " and ".join(str(each.sources[0].relative_to(root)) for each in (one, other))
            raise UserError(f"{root}: holds {one.name} twice: {places}; move one of them elsewhere")


def _check_subjects(root: Path, recordings: list[Recording]) -> None:
    first: dict[str, Recording] = {}
    for recording in recordings:
        seen = first.setdefault(recording.subject, recording)
        if seen.split != recording.split:
            raise UserError(
                f"{root}: subject {recording.subject!r} is in {seen.split} ({seen.name}) and in {recording.split} "
                f"({recording.name}); a person must be in one split only: move what does not belong elsewhere"
            )
