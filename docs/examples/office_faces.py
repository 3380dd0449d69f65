"""A data set of one's own: office/<train|test>/p07_phone2_{live,print,tablet}_3.mp4."""

import itertools
import re

from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.reader import Reader, everything, only

SPECIES = {"live": "live", "print": "print", "tablet": "replay/tablet"}
PEOPLE = {"train": range(1, 5), "test": range(5, 7)}
PATH = re.compile(r"(?:^|/)(train|test)/(p(\d\d)_phone(\d)_(live|print|tablet)_(\d))\Z")


def describe(path):
    match = PATH.search(path)
    if match is None:
        return None  # not of this data set
    split, stem, person, phone, kind, visit = match.groups()
    label = Label.LIVE if kind == "live" else Label.SPOOF
    factors = {"device": phone, "session": visit}
    return Recording("office_faces", person, f"{split}/{stem}", split, label, SPECIES[kind], (), factors)


def names(root):
    for split, people in PEOPLE.items():
        for person, phone, kind, visit in itertools.product(people, (1, 2), SPECIES, (1, 2, 3)):
            yield f"{split}/p{person:02d}_phone{phone}_{kind}_{visit}"


READER = Reader(
    name="office_faces",
    title="Office Faces",
    example="train/p01_phone1_live_1.mp4",
    describe=describe,
    names=names,
    protocols=(everything("all", ("train", "test")), only("phone 2", "device", "2", splits=("train", "test"))),
)
