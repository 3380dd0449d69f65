"""Frozen lists: which recordings of a published data set a list holds, by their number and a hash of their names."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dgfas.core.config import Lists, Strict, read_yaml, validated
from dgfas.evaluation.slices import data_set_of

FROZEN = Path(__file__).with_name("frozen_lists.yaml")

#: Data set, subject, recording and label (1 live, 0 spoof).
RecordingKey = tuple[str, str, str, int]


class FrozenList(Strict):
    """The recordings of a data set that are measured when it is the target."""

    data_set: str
    lists: tuple[Lists, ...]  # those that hold exactly these recordings
    live: int
    spoof: int
    hash: str


def recordings_hash(recordings: Iterable[RecordingKey]) -> str:
    """Return the SHA-256 over sorted recordings, each once: the same names give the same hash on every machine."""
    lines = sorted({"\x1f".join(map(str, key)) for key in recordings})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def frozen_lists() -> tuple[FrozenList, ...]:
    """Return the frozen lists that come with the package."""
    return tuple(validated(FrozenList, values, FROZEN.name) for values in read_yaml(FROZEN)["lists"])


def words_of_list(target: str, lists: str, live: int, spoof: int, found_hash: str) -> str:
    """Say which list was measured: its name, and for a published data set whether it is the whole frozen list.

    "ssdg, whole list", or "ssdg, 68 of 70 live and 210 of 210 spoof". Of other data sets and of slices only the name.
    """
    frozen = [each for each in frozen_lists() if each.data_set == data_set_of(target) and lists in each.lists]
    if not frozen or "[" in target:
        return lists
    if frozen[0].hash == found_hash:
        return f"{lists}, whole list"
    return f"{lists}, {live} of {frozen[0].live} live and {spoof} of {frozen[0].spoof} spoof, not the frozen list"
