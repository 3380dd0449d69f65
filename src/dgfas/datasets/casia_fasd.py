"""CASIA-FASD (also CASIA-MFSD): 50 people, three cameras, warped and cut photos and videos (Zhang et al. 2012).

`train_release/<1-20>/<code>.avi` and `test_release/<1-30>/<code>.avi`. The test folders are numbered from 1 again
although they hold other people: 20 is added. Codes: 1, 2, HR_1 live; 3, 4, HR_2 warped photo; 5, 6, HR_3 cut photo;
7, 8, HR_4 video. Odd codes are of normal, even ones of low quality, HR of high quality.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.reader import Reader, everything, only

SPECIES = ("live", "print/warped", "cut", "replay/ipad")
CODES = ("1", "2", "3", "4", "5", "6", "7", "8", "HR_1", "HR_2", "HR_3", "HR_4")
PEOPLE: dict[Split, int] = {"train": 20, "test": 30}
TEST_OFFSET = 20

#: `1/HR_2`, and the spellings `1_HR_2`, `1_NM_3` and `1_3` of copies whose folders were joined.
PATH = re.compile(
    r"(?:^|/)(train|test)(?:_release)?/(?:[^/]+/)?0?(\d{1,2})[/_](?:NM_)?([1-8]|HR_[1-4])\Z", re.IGNORECASE
)


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None. See `finish` for test people numbered above 30."""
    match = PATH.search(path)
    if match is None:
        return None
    split: Split = "train" if match[1].lower() == "train" else "test"
    person, code = int(match[2]), match[3].upper()
    high, number = code.startswith("HR_"), int(code[-1])
    species = SPECIES[number - 1 if high else (number - 1) // 2]
    return Recording(
        domain="casia_fasd",
        subject=f"{person + (TEST_OFFSET if split == 'test' else 0):02d}",
        name=f"{split}_release/{person}/{code}",
        split=split,
        label=Label.LIVE if species == "live" else Label.SPOOF,
        species=species,
        sources=(),
        factors={"device": "high" if high else "normal" if number % 2 else "low"},
    )


def finish(root: Path, recordings: list[Recording], notes: list[str]) -> list[Recording]:
    """Undo the numbering of copies that call the people of the test folder 21 to 50, as if they were 1 to 30.

    Raises UserError if some are numbered so and some not.
    """
    test = [recording for recording in recordings if recording.split == "test"]
    if all(int(recording.subject) <= TEST_OFFSET + PEOPLE["test"] for recording in test):
        return recordings
    if min(int(recording.subject) for recording in test) <= 2 * TEST_OFFSET:
        raise UserError(
            f"{root}: the people of the test folder must be numbered 1 to 30, or all of them 21 to 50; here are both"
        )
    notes.append("the test people are numbered 21 to 50 here; they keep the official numbers 1 to 30 in names")
    return [_renumbered(recording) if recording.split == "test" else recording for recording in recordings]


def _renumbered(recording: Recording) -> Recording:
    folder, person, code = recording.name.split("/")
    again = describe(f"{folder}/{int(person) - TEST_OFFSET}/{code}")
    assert again is not None
    return replace(again, sources=recording.sources)


def names(root: Path) -> Iterator[str]:
    """Yield the official path of every recording."""
    for split, people in PEOPLE.items():
        for person, code in itertools.product(range(1, people + 1), CODES):
            yield f"{split}_release/{person}/{code}"


BOTH: tuple[Split, ...] = ("train", "test")

READER = Reader(
    name="casia_fasd",
    title="CASIA-FASD",
    example="train_release/1/HR_2.avi",
    describe=describe,
    expected={
        ("train", Label.LIVE): 60,
        ("train", Label.SPOOF): 180,
        ("test", Label.LIVE): 90,
        ("test", Label.SPOOF): 270,
    },
    names=names,
    protocols=(
        everything("overall", BOTH),
        *(only(f"{quality} quality", "device", quality, splits=BOTH) for quality in ("low", "normal", "high")),
        only("warped photo", "species", "live", "print/warped", splits=BOTH),
        only("cut photo", "species", "live", "cut", splits=BOTH),
        only("video", "species", "live", "replay/ipad", splits=BOTH),
    ),
    finish=finish,
)
