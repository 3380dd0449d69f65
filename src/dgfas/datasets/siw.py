"""SiW, Spoof in the Wild: 165 people, prints and replays on four displays (Liu et al. 2018).

`{Train,Test}/{live,spoof}/<SSS>/<SSS>-<sensor>-<type>-<medium>-<session>.mov`: type 1 live, 2 print, 3 replay.
"""

import re

from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.reader import Protocol, Reader, everything

KINDS = {"1": "live", "2": "print", "3": "replay"}
REPLAYS = tuple(f"replay/medium{medium}" for medium in "1234")
PRINTS = tuple(f"print/medium{medium}" for medium in "12")

PATH = re.compile(r"(?:^|/)(Train|Test)/(live|spoof)/(?:\d+/)?((\d{3})-(\d)-([123])-(\d)-(\d))\Z", re.IGNORECASE)


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None."""
    match = PATH.search(path)
    if match is None:
        return None
    folder, place, stem, person, sensor, kind, medium, session = match.groups()
    if (place.lower() == "live") != (kind == "1"):
        return None
    live = kind == "1"
    factors = {"device": sensor, "session": session}
    if live:
        factors["condition"] = medium
    return Recording(
        domain="siw",
        subject=person,
        name=f"{folder.capitalize()}/{place.lower()}/{person}/{stem}",
        split="train" if folder.lower() == "train" else "test",
        label=Label.LIVE if live else Label.SPOOF,
        species="live" if live else f"{KINDS[kind]}/medium{medium}",
        sources=(),
        factors=factors,
    )


def _protocol(name: str, train: set[str], test: set[str]) -> Protocol:
    where = {"train": train, "test": test}
    return Protocol(name, {split: {"species": frozenset({"live", *where[split]})} for split in ("train", "test")})


BOTH: tuple[Split, ...] = ("train", "test")

READER = Reader(
    name="siw",
    title="SiW",
    example="Train/live/032/032-1-1-1-1.mov",
    describe=describe,
    expected={
        ("train", Label.LIVE): 714,
        ("train", Label.SPOOF): 1702,
        ("test", Label.LIVE): 599,
        ("test", Label.SPOOF): 1454,
    },
    protocols=(
        everything("1", BOTH),
        *(_protocol(f"2_{number}", set(REPLAYS) - {unseen}, {unseen}) for number, unseen in enumerate(REPLAYS, 1)),
        _protocol("3_1", set(PRINTS), set(REPLAYS)),
        _protocol("3_2", set(REPLAYS), set(PRINTS)),
    ),
    doubt="expected are the 4469 files of one published list; the paper speaks of 1320 live and 3300 spoof videos",
)
