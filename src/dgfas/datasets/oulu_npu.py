"""OULU-NPU: 55 people before six phones in three sessions, two printers and two displays (Boulkenafet et al. 2017).

`Train_files/P_S_UU_F.avi`: phone 1-6, session 1-3, user 01-55, file 1 live, 2 and 3 prints by printer 1 and 2, 4 and 5
replays on display 1 and 2. The label is the last field and nothing else.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.reader import Protocol, Reader, everything, folders_above, path_of, with_file

USERS: dict[Split, range] = {"train": range(1, 21), "dev": range(21, 36), "test": range(36, 56)}
SPECIES = {
    "1": "live",
    "2": "print/printer1",
    "3": "print/printer2",
    "4": "replay/display1",
    "5": "replay/display2",
}
PHONES = tuple("123456")
SESSIONS = tuple("123")

PATH = re.compile(r"(?:^|/)(Train|Dev|Test)(?:_files)?/([1-6])_([1-3])_(\d{2})_([1-5])\Z", re.IGNORECASE)


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None."""
    match = PATH.search(path)
    if match is None:
        return None
    folder, phone, session, user, file = match.groups()
    split = next(split for split in USERS if split == folder.lower())
    return Recording(
        domain="oulu_npu",
        subject=user,
        name=f"{split.capitalize()}_files/{phone}_{session}_{user}_{file}",
        split=split,
        label=Label.LIVE if file == "1" else Label.SPOOF,
        species=SPECIES[file],
        sources=(),
        factors={"device": phone, "session": session},
    )


def names(root: Path) -> Iterator[str]:
    """Yield the official path of every recording."""
    for split, users in USERS.items():
        for user, phone, session, file in itertools.product(users, PHONES, SESSIONS, SPECIES):
            yield f"{split.capitalize()}_files/{phone}_{session}_{user:02d}_{file}"


def _protocol(name: str, seen: dict[str, set[str]], unseen: dict[str, set[str]]) -> Protocol:
    training = {column: frozenset(values) for column, values in seen.items()}
    test = {column: frozenset(values) for column, values in unseen.items()}
    return Protocol(name, {"train": training, "dev": training, "test": test})


SEEN_INSTRUMENTS = {"live", "print/printer1", "replay/display1"}
UNSEEN_INSTRUMENTS = {"live", "print/printer2", "replay/display2"}

PROTOCOLS = (
    _protocol("1", {"session": {"1", "2"}}, {"session": {"3"}}),
    _protocol("2", {"species": SEEN_INSTRUMENTS}, {"species": UNSEEN_INSTRUMENTS}),
    *(_protocol(f"3_{phone}", {"device": set(PHONES) - {phone}}, {"device": {phone}}) for phone in PHONES),
    *(
        _protocol(
            f"4_{phone}",
            {"device": set(PHONES) - {phone}, "session": {"1", "2"}, "species": SEEN_INSTRUMENTS},
            {"device": {phone}, "session": {"3"}, "species": UNSEEN_INSTRUMENTS},
        )
        for phone in PHONES
    ),
    everything("cross-domain (train and test)", ("train", "test")),
)


def add_eyes_and_check_lists(root: Path, recordings: list[Recording], notes: list[str]) -> list[Recording]:
    """Add the files of eye positions; note where the lists in `Protocols/` differ from the rules, which are followed.

    `Protocol_1/Train.txt`, `Protocol_3/Test_6.txt`: a line "+1,1_1_01_1" for live, a negative number for an attack.
    """
    for folder in folders_above(root, recordings):
        if (folder / "Protocols").is_dir():
            _check_lists(folder / "Protocols", notes)
    return [with_file(recording, "eyes", path_of(recording).with_suffix(".txt")) for recording in recordings]


def _check_lists(folder: Path, notes: list[str]) -> None:
    official = [recording for name in names(folder) if (recording := describe(name)) is not None]
    for protocol, split in itertools.product(PROTOCOLS, USERS):
        number, _, phone = protocol.name.partition("_")
        path = folder / f"Protocol_{number}" / f"{split.capitalize()}{f'_{phone}' if phone else ''}.txt"
        if not path.is_file():
            continue
        ours = {
            f"{'+' if recording.label is Label.LIVE else '-'},{recording.name.rpartition('/')[2]}"
            for recording in official
            if recording.split == split and protocol.uses(recording)
        }
        lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
        theirs = {f"{line[:1]},{line.rpartition(',')[2].strip()}" for line in lines if line}
        if theirs != ours:
            odd = sorted(theirs ^ ours)
            notes.append(f"{path}: differs from the protocol's rule, which is followed, in {len(odd)}: {odd[0]} ...")


READER = Reader(
    name="oulu_npu",
    title="OULU-NPU",
    example="Train_files/1_1_01_2.avi",
    describe=describe,
    expected={
        ("train", Label.LIVE): 360,
        ("train", Label.SPOOF): 1440,
        ("dev", Label.LIVE): 270,
        ("dev", Label.SPOOF): 1080,
        ("test", Label.LIVE): 360,
        ("test", Label.SPOOF): 1440,
    },
    names=names,
    protocols=PROTOCOLS,
    finish=add_eyes_and_check_lists,
)
