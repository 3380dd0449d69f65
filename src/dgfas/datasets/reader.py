"""What a reader of a published data set is: how its files are named, what it must hold, and its protocols."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from dgfas.core.label import Label
from dgfas.core.recording import SPLITS, Recording, Split

Counts = Mapping[tuple[Split, Label], int]


@dataclass(frozen=True)
class Protocol:
    """An official choice of recordings: for each split the values that a column must have.

    A column is `species` or a factor (`device`, ...). Of a split that `where` does not name, nothing is used.
    """

    name: str
    where: Mapping[Split, Mapping[str, frozenset[str]]]

    def uses(self, recording: Recording) -> bool:
        """Whether a recording belongs to the protocol."""
        if recording.split not in self.where:
            return False
        facts = {"species": recording.species, **recording.factors}
        return all(facts.get(column) in values for column, values in self.where[recording.split].items())


def everything(name: str, splits: Iterable[Split] = SPLITS) -> Protocol:
    """Return the protocol that uses all recordings of some splits."""
    return Protocol(name, {split: {} for split in splits})


def only(name: str, column: str, *values: str, splits: Iterable[Split] = SPLITS) -> Protocol:
    """Return the protocol that uses, in each of the splits, the recordings with one of some values in one column."""
    return Protocol(name, {split: {column: frozenset(values)} for split in splits})


def with_file(recording: Recording, factor: str, path: Path) -> Recording:
    """Return a recording with a factor that names a file, relative to the recording's folder, if the file is there."""
    if not path.is_file():
        return recording
    inside = os.path.relpath(path, recording.sources[0].parent)
    return replace(recording, factors={**recording.factors, factor: inside})


def path_of(recording: Recording) -> Path:
    """Return where a recording lies, without suffix: its video or photo, or the folder of its extracted frames."""
    path = recording.sources[0].with_suffix("")
    return path if path.name == PurePosixPath(recording.name).name else path.parent


def folders_above(root: Path, recordings: Iterable[Recording]) -> list[Path]:
    """Return the folders from `root` down to the recordings, in which lists may lie beside them."""
    above = {folder for recording in recordings for folder in recording.sources[0].parents}
    return sorted(folder for folder in above if folder.is_relative_to(root))


@dataclass(frozen=True)
class Reader:
    """A data set that is read by the names of its files.

    `describe` takes the path of a file (or of a folder of extracted frames) below the data set's folder, "/" between
    its parts and without suffix. It returns the recording without its sources, under its official name whatever the
    spelling on disk, or None if nothing in this data set is called so. Folders above may be any.
    """

    name: str  # the domain of its recordings; on the command line with hyphens
    title: str
    example: str  # a path as the data set has it
    describe: Callable[[str], Recording | None]
    #: Recordings by split and class from the literature, or by class alone; empty where the data set lists its own.
    expected: Counts = field(default_factory=dict)
    totals: Mapping[Label, int] = field(default_factory=dict)
    #: The official path of every recording, as `describe` takes it, for the data set in a folder; None where they
    #: cannot be told beforehand.
    names: Callable[[Path], Iterable[str]] | None = None
    protocols: tuple[Protocol, ...] = (everything("official splits"),)
    #: Completes the recordings from other files of the folder, and appends to the notes what a person should know.
    finish: Callable[[Path, list[Recording], list[str]], list[Recording]] | None = None
    #: Files that belong to the data set but are no presentations of its protocols (enrolment, ...).
    left_out: Callable[[str], bool] = field(default=lambda path: False)
    #: Why these numbers may differ from those of a whole copy; empty where they may not.
    doubt: str = ""

    @property
    def word(self) -> str:
        """The name on the command line."""
        return self.name.replace("_", "-")
