"""CelebA-Spoof: photos of 10,177 people, live and ten kinds of attack (Zhang et al. 2020).

`Data/{train,test}/<person>/{live,spoof}/<number>.{jpg,png}`, and beside each photo `<number>_BB.txt`, the face's box
"x y w h score" in a frame of 224 x 224 pixels whatever the photo's size. `metas/intra_test/{train,test}_label.json`
lists the photos with 44 numbers each: 40 attributes, the kind of attack, light, environment, and 0 (live) or 1 (spoof).
The lists name 561,575 of the paper's 625,537 photos: a part of the test photos was never published (issues 3 and 38 of
github.com/ZhangYuanhan-AI/CelebA-Spoof).
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.reader import Reader, everything

#: Species by the 41st number; 1 to 3 are flat prints, 4 to 6 masks of paper, 7 to 9 displays, 10 a solid mask.
SPECIES = (
    "live",
    "print/photo",
    "print/poster",
    "print/a4",
    "mask/paper-face",
    "mask/paper-upper-body",
    "mask/paper-region",
    "replay/pc",
    "replay/pad",
    "replay/phone",
    "mask/3d",
)
NUMBERS = 44
FIRST = 40  # of the four numbers that are kept: kind of attack, light, environment, label
SPLITS: tuple[Split, ...] = ("train", "test")

PATH = re.compile(r"(?:^|/)(train|test)/(\d+)/(live|spoof)/(\w+)\Z")


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None. The kind of attack is in the lists, see `complete`."""
    match = PATH.search(path)
    if match is None:
        return None
    folder, person, kind, stem = match.groups()
    return Recording(
        domain="celeba_spoof",
        subject=person,
        name=f"{folder}/{person}/{kind}/{stem}",
        split="train" if folder == "train" else "test",
        label=Label.LIVE if kind == "live" else Label.SPOOF,
        species="live" if kind == "live" else "unknown",
        sources=(),
    )


def complete(root: Path, recordings: list[Recording], notes: list[str]) -> list[Recording]:
    """Add the kind of attack, light and environment from the lists, and the box beside each photo."""
    listed = _lists(root)
    return [_with_facts(recording, listed.get(recording.name)) for recording in recordings]


def _with_facts(recording: Recording, numbers: tuple[int, ...] | None) -> Recording:
    factors = {}
    species = recording.species
    if numbers is not None:
        spoof_type, light, environment, is_spoof = numbers
        species = SPECIES[spoof_type]
        listed = Label.SPOOF if is_spoof else Label.LIVE  # their 1 is our 0
        if listed is not recording.label or (species == "live") != (listed is Label.LIVE):
            raise UserError(
                f"{recording.sources[0]}: lies in the folder `{recording.name.split('/')[2]}`, but the lists give "
                f"it label {is_spoof} and spoof type {spoof_type}; restore the list or the file"
            )
        factors = {"condition": str(light), "environment": str(environment)}
    box = recording.sources[0].with_name(f"{recording.sources[0].stem}_BB.txt")
    if box.is_file():
        factors["box_224"] = " ".join(box.read_text().split()[:4])
    return replace(recording, species=species, factors=factors)


def names(root: Path) -> Iterator[str]:
    """Yield the name of every photo in the lists."""
    yield from _lists(root)


@functools.lru_cache(maxsize=1)
def _lists(root: Path) -> dict[str, tuple[int, ...]]:
    """Return the last four numbers of each photo by its name."""
    folder = next((place for pattern in (".", "*", "*/*") for place in root.glob(f"{pattern}/metas/intra_test")), None)
    if folder is None:
        raise UserError(f"{root}: holds no metas/intra_test, which says what the attacks are; unpack it beside Data")
    listed: dict[str, tuple[int, ...]] = {}
    for split in SPLITS:
        path = folder / f"{split}_label.json"
        try:
            for name, numbers in json.loads(path.read_text()).items():
                recording = describe(Path(name).with_suffix("").as_posix())
                if recording is None or len(numbers) != NUMBERS or numbers[FIRST] not in range(len(SPECIES)):
                    raise ValueError(f"{name} has no place or not 44 numbers")
                listed[recording.name] = tuple(int(number) for number in numbers[FIRST:])
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: cannot be read ({error}); restore it from the data set") from error
    return listed


READER = Reader(
    name="celeba_spoof",
    title="CelebA-Spoof",
    example="Data/train/4980/spoof/000003.jpg",
    describe=describe,
    names=names,
    protocols=(everything("intra_test", SPLITS),),
    finish=complete,
)
