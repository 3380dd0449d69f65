"""Photos, videos and extracted frames in a folder of one's own, labelled by sub-folder names or by a table."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.folder_names import Facts, facts_from_folders, is_word
from dgfas.datasets.folder_table import read_table
from dgfas.datasets.splitting import draw_splits
from dgfas.datasets.walk import walk

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif"})
# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ts",
    ".mts", ".m2ts", ".ogv", ".mjpeg", ".mjpg", ".y4m", ".gif",
})
# fmt: on

Images = Literal["auto", "photos", "frames"]


@dataclass(frozen=True)
class FolderReading:
    """The recordings of a folder, in order of their names, and what the reader assumed, as lines to print."""

    recordings: list[Recording]
    notes: list[str]


@dataclass
class Found:
    """A recording on disk before its missing facts are filled in; `name` is its path below the root."""

    name: str
    sources: tuple[Path, ...]
    facts: Facts
    factors: dict[str, str] = field(default_factory=dict)


def read_folder(
    root: Path, *, domain: str | None = None, table: Path | None = None, seed: int = 0, images: Images = "auto"
) -> FolderReading:
    """Find the recordings below `root` and what is known about each.

    What is a recording: every video; every photo; and every folder of extracted frames (in order of their names,
    numbers by value). `images` decides for folders that hold images: "photos", "frames", or "auto", where a folder
    holds frames if it holds at least two images, all of whose names are a number or a word and a number equal up to
    the number (`0001.png`, `frame_12.jpg`), and its own name is not one of the words below.

    What the folders above a recording say, when there is no `table`:
    - `key=value` with key domain, subject, species, split or label says just that;
    - live, real, bonafide, genuine: a live recording; spoof, fake, attack: an attack of unknown species;
    - print, printed, paper, poster; replay, screen, display; cut; mask, 3dmask: an attack of that species, and below an
      attack folder also photo (print) and video (replay);
    - train, training; dev, devel, val, valid, validation; test, testing, eval, evaluation: the split.
      Upper case, spaces and `-_.` do not matter;
    - the first other folder above the one that says live or spoof names the domain, unless `domain` is given;
    - the first other folder below it (with `domain` given: anywhere) names the subject; photo and video never do.

    A `table` (CSV, see `read_table`) replaces the names of the folders. Without a domain, the root's name is taken; a
    recording without a subject is its own subject; where a domain names no splits, its subjects are divided 70/15/15
    by `seed`. Symbolic links are followed; hidden files and prepared data sets are passed over.

    Raises UserError if there is no recording, if a folder cannot be read, if names contradict each other, or if a
    subject is in two splits.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root}: not a folder")
    notes: list[str] = []
    found = _found_in_table(root, table, notes) if table else _found_on_disk(root, domain, images, notes)
    if not found:
        raise UserError(f"{root}: holds no photo and no video; known suffixes: {_suffixes()}")
    default_domain = domain or root.resolve().name or "folder"
    recordings = _completed(found, domain, default_domain, seed, notes)
    _note_classes(recordings, notes)
    return FolderReading(recordings, notes)


def _found_on_disk(root: Path, domain: str | None, images: Images, notes: list[str]) -> list[Found]:
    found: list[Found] = []
    ignored: Counter[str] = Counter()
    frame_folders = 0
    for place, files in walk(root, notes):
        facts = facts_from_folders(place.relative_to(root).parts, domain_given=domain is not None)
        files.sort(key=natural_order)
        pictures = [place / name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES]
        singles = [place / name for name in files if Path(name).suffix.lower() in VIDEO_SUFFIXES]
        if place != root and _are_frames(place, pictures, images):
            found.append(Found(place.relative_to(root).as_posix(), tuple(pictures), facts))
            frame_folders += 1
        else:
            singles += pictures
        found += [Found(path.relative_to(root).as_posix(), (path,), facts) for path in singles]
        known = IMAGE_SUFFIXES | VIDEO_SUFFIXES
        ignored.update(suffix for name in files if (suffix := Path(name).suffix.lower()) not in known)
    if frame_folders and images == "auto":
        notes.append(f"{frame_folders} folders of numbered images were read as one recording each")
    if ignored:
        kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in ignored.most_common())
        notes.append(f"{ignored.total()} other files were passed over: {kinds}")
    return sorted(found, key=lambda each: natural_order(each.name))


def _are_frames(place: Path, pictures: list[Path], images: Images) -> bool:
    if images != "auto":
        return images == "frames" and bool(pictures)
    stems = {path.stem.rstrip("0123456789") for path in pictures}
    numbered = len(stems) == 1 and all(path.stem[-1:].isdigit() for path in pictures)
    return len(pictures) > 1 and numbered and not is_word(place.name)


def _found_in_table(root: Path, table: Path, notes: list[str]) -> list[Found]:
    found: dict[str, Found] = {}
    missing = 0
    for row in read_table(table):
        path = root / row.path
        if path.is_dir():
            pictures = [entry for entry in path.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES]
            sources = tuple(sorted(pictures, key=lambda entry: natural_order(entry.name))) or (path,)
        else:
            sources = (path,)
            missing += not path.exists()
        name = row.recording or Path(row.path).as_posix()
        if name in found:
            first = found[name]
            if row.recording and first.factors.get("box") != row.factors.get("box"):
                raise UserError(
                    f"{table}: line {row.line}: recording {name!r} has another box already; put the boxes of its "
                    "frames into a file and the file's name into a column 'boxes'"
                )
            if not row.recording or (first.facts, first.factors) != (row.facts, row.factors):
                raise UserError(
                    f"{table}: line {row.line}: recording {name!r} was already described otherwise; all its lines must "
                    "say the same"
                )
            found[name] = Found(name, first.sources + sources, first.facts, first.factors)
        else:
            found[name] = Found(name, sources, row.facts, row.factors)
    if missing:
        notes.append(f"{missing} files named by {table} do not exist; they count as rejected recordings")
    return list(found.values())


def _completed(
    found: list[Found], domain: str | None, default_domain: str, seed: int, notes: list[str]
) -> list[Recording]:
    own_subjects = sum(each.facts.subject is None for each in found)
    if own_subjects:
        notes.append(
            f"{own_subjects} of {len(found)} recordings name no subject; each counts as a person of its own. Splits "
            "and confidence intervals rely on that: name subjects by folders or a table if people appear twice"
        )
    rows = []
    for each in found:
        label, species = each.facts.label, each.facts.species
        if species is None:
            species = "live" if label is Label.LIVE else "unknown"
        name_of_domain = each.facts.domain or domain or default_domain
        rows.append((name_of_domain, each.facts.subject or each.name, each, label, species))
    splits = draw_splits([(row[0], row[1], row[2].facts.split, row[3]) for row in rows], seed, notes)
    return [
        Recording(name_of_domain, subject, each.name, split, label, species, each.sources, each.factors)
        for (name_of_domain, subject, each, label, species), split in zip(rows, splits, strict=True)
    ]


def _note_classes(recordings: list[Recording], notes: list[str]) -> None:
    for name in sorted({recording.domain for recording in recordings}):
        words = {
            recording.label.word if recording.label is not None else "unlabelled"
            for recording in recordings
            if recording.domain == name
        }
        if not {"live", "spoof"} <= words:
            held = " and ".join(sorted(words))
            notes.append(f"domain {name!r} holds only {held} recordings: good for scoring, not for training")


def natural_order(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key by which frame_2 comes before frame_10."""
    parts: list[str] = [""]
    for character in name:
        if character.isdigit() != parts[-1].isdigit():
            parts.append("")
        parts[-1] += character
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _suffixes() -> str:
    return " ".join(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))
