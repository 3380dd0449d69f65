"""Compare what is on disk of a published data set with what should be, and say what that does to its protocols."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgfas.core.label import Label
from dgfas.core.recording import SPLITS, Recording, Split
from dgfas.datasets.reader import Protocol, Reader
from dgfas.datasets.reading import Reading

SHOWN = 5  # names in a line

Cell = tuple[Split, Label]
CELLS: tuple[Cell, ...] = tuple((split, label) for split in SPLITS for label in (Label.LIVE, Label.SPOOF))


@dataclass(frozen=True)
class Completeness:
    """Whether a data set is whole, and the lines that say so."""

    complete: bool
    lines: list[str]


def compare(reader: Reader, reading: Reading, shown: int = SHOWN) -> Completeness:
    """Compare found and expected, by split, class and protocol; name the first `shown` that differ."""
    recordings: list[Recording] = []
    lost: list[str] = []
    for each in reading.recordings:
        if any(source.exists() for source in each.sources):
            recordings.append(each)
        else:
            lost.append(each.name)
    official = _official(reader, reading.root)
    found, expected = _counts(recordings), Counter(reader.expected) or _counts(official)
    faults = _name_faults(official, recordings, shown) if official else _count_faults(expected, found)
    faults += _total_faults(reader.totals, found)
    if lost:
        faults.append(f"links to files that are not there ({len(lost)}): {_listed(lost, shown)}")
    empty = [each.name for each in recordings if not any(source.stat().st_size for source in each.sources)]
    if empty:
        faults.append(f"empty, 0 bytes ({len(empty)}): {_listed(empty, shown)}")
    lines = [*_table(expected, found), *faults]
    if faults and reading.archives:
        archives = _listed([path.as_posix() for path in reading.archives], shown)
        lines.append(f"archives beside the files, not unpacked or not wholly ({len(reading.archives)}): {archives}")
    if reading.unknown:
        unknown = _listed([path.as_posix() for path in reading.unknown], shown)
        lines.append(f"not of {reader.title}, passed over ({len(reading.unknown)}): {unknown}")
    without = set(empty)
    lines += _protocol_lines(reader.protocols, official, [each for each in recordings if each.name not in without])
    if faults and reader.doubt:
        lines.append(f"note: {reader.doubt}")
    people = len({recording.subject for recording in recordings})
    verdict = "incomplete" if faults else "complete"
    lines.append(f"{verdict}: {len(recordings)} recordings of {people} people")
    return Completeness(not faults, lines)


def _official(reader: Reader, root: Path) -> list[Recording]:
    """Return what should be there, without sources; empty where the names cannot be told."""
    names = reader.names(root) if reader.names else ()
    return [recording for name in names if (recording := reader.describe(name)) is not None]


def _table(expected: Counter[Cell], found: Counter[Cell]) -> list[str]:
    lines = [f"{'split':<6} {'class':<6} {'expected':>8} {'found':>8}"]
    for cell in CELLS:
        if expected[cell] or found[cell]:
            number = expected[cell] if expected else "-"
            lines.append(f"{cell[0]:<6} {cell[1].word:<6} {number:>8} {found[cell]:>8}")
    return lines


def _name_faults(official: Sequence[Recording], recordings: Sequence[Recording], shown: int) -> list[str]:
    there = {recording.name for recording in recordings}
    wanted = {recording.name for recording in official}
    faults = [("missing", wanted - there), ("extra", there - wanted)]
    return [f"{fault} ({len(names)}): {_listed(sorted(names), shown)}" for fault, names in faults if names]


def _count_faults(expected: Counter[Cell], found: Counter[Cell]) -> list[str]:
    surplus = {cell: found[cell] - expected[cell] for cell in CELLS if expected}
    return [
        f"{'extra' if more > 0 else 'missing'}: {abs(more)} {label.word} of {split}"
        for (split, label), more in surplus.items()
        if more
    ]


def _total_faults(totals: Mapping[Label, int], found: Counter[Cell]) -> list[str]:
    faults = []
    for label, total in totals.items():
        more = sum(found[split, label] for split in SPLITS) - total
        if more:
            faults.append(f"{'extra' if more > 0 else 'missing'}: {abs(more)} of {total} {label.word} in all")
    return faults


def _protocol_lines(
    protocols: Iterable[Protocol], official: Sequence[Recording], recordings: Sequence[Recording]
) -> list[str]:
    """Say of each protocol which recordings it lacks; those that lack none share a line.

    Where the official names are not known, say what it holds.
    """
    whole: list[str] = []
    lines: list[str] = []
    for protocol in protocols:
        found = _counts(filter(protocol.uses, recordings))
        if not official:
            there = [f"{split} {label.word} {found[split, label]}" for split, label in CELLS if found[split, label]]
            lines.append(f"protocol {protocol.name} holds {', '.join(there) or 'nothing'}")
            continue
        expected = _counts(filter(protocol.uses, official))
        lacks = [
            f"{split} {label.word} {found[split, label]} of {expected[split, label]}"
            for split, label in CELLS
            if found[split, label] < expected[split, label]
        ]
        if lacks:
            lines.append(f"protocol {protocol.name}: {', '.join(lacks)}")
        else:
            whole.append(protocol.name)
    return lines + ([f"protocols with all recordings: {', '.join(whole)}"] if whole else [])


def _counts(recordings: Iterable[Recording]) -> Counter[Cell]:
    return Counter((each.split, each.label) for each in recordings if each.label is not None)


def _listed(names: Sequence[str], shown: int) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")
