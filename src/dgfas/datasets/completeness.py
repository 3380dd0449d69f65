"""Compare what is on disk of a published data set with what should be, and say what that does to its protocols."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """Compare the recordings found and expected, by split, class and protocol; name the first `shown` that differ."""
    recordings = reading.recordings
    found = _counts(recordings)
    lines = _table(reader, found)
    faults = _name_faults(reader, recordings, shown) if reader.names else _count_faults(reader, found)
    empty = [
        recording.name for recording in recordings if not any(source.stat().st_size for source in recording.sources)
    ]
    if empty:
        faults.append(f"empty, 0 bytes ({len(empty)}): {_listed(empty, shown)}")
    lines += faults
    if faults and reading.archives:
        archives = _listed([path.as_posix() for path in reading.archives], shown)
        lines.append(f"archives beside the files, not unpacked or not wholly ({len(reading.archives)}): {archives}")
    if reading.unknown:
        unknown = _listed([path.as_posix() for path in reading.unknown], shown)
        lines.append(f"not of {reader.title}, passed over ({len(reading.unknown)}): {unknown}")
    lines += _protocol_lines(reader, [each for each in recordings if each.name not in set(empty)])
    if faults and reader.doubt:
        lines.append(f"note: {reader.doubt}")
    people = len({recording.subject for recording in recordings})
    verdict = "incomplete" if faults else "complete"
    lines.append(f"{verdict}: {len(recordings)} recordings of {people} people")
    return Completeness(not faults, lines)


def _table(reader: Reader, found: Counter[Cell]) -> list[str]:
    lines = [f"{'split':<6} {'class':<6} {'expected':>8} {'found':>8}"]
    for split, label in CELLS:
        expected = reader.expected.get((split, label), 0)
        if expected or found[split, label]:
            lines.append(f"{split:<6} {label.word:<6} {expected:>8} {found[split, label]:>8}")
    return lines


def _name_faults(reader: Reader, recordings: Sequence[Recording], shown: int) -> list[str]:
    there = {recording.name for recording in recordings}
    official = {recording.name for recording in _official(reader)}
    faults = [("missing", official - there), ("extra", there - official)]
    return [f"{fault} ({len(names)}): {_listed(sorted(names), shown)}" for fault, names in faults if names]


def _count_faults(reader: Reader, found: Counter[Cell]) -> list[str]:
    faults = []
    for split, label in CELLS:
        surplus = found[split, label] - reader.expected.get((split, label), 0)
        if surplus:
            faults.append(f"{'extra' if surplus > 0 else 'missing'}: {abs(surplus)} {label.word} of {split}")
    return faults


def _protocol_lines(reader: Reader, recordings: Sequence[Recording]) -> list[str]:
    """Say of each protocol which recordings it lacks; those that lack none share a line.

    Where the official names are not known, say what it holds.
    """
    whole: list[str] = []
    lines: list[str] = []
    official = _official(reader) if reader.names else []
    for protocol in reader.protocols:
        found = _used(protocol, recordings)
        if not official:
            there = [f"{split} {label.word} {found[split, label]}" for split, label in CELLS if found[split, label]]
            lines.append(f"protocol {protocol.name} holds {', '.join(there) or 'nothing'}")
            continue
        expected = _used(protocol, official)
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


def _official(reader: Reader) -> list[Recording]:
    assert reader.names is not None
    return [recording for name in reader.names() if (recording := reader.describe(name)) is not None]


def _counts(recordings: Iterable[Recording]) -> Counter[Cell]:
    return Counter((each.split, each.label) for each in recordings if each.label is not None)


def _used(protocol: Protocol, recordings: Iterable[Recording]) -> Counter[Cell]:
    return _counts(filter(protocol.uses, recordings))


def _listed(names: Sequence[str], shown: int) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")
