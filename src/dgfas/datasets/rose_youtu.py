"""ROSE-Youtu: 20 people before five phones and tablets, prints, replays and masks of paper (Li et al. 2018).

`train/<folder>/` and `test/_<folder>/` hold `<kind>_<speaking>_<device>_<glasses>_<background>_<person>_<number>.mp4`.
The person is the number in the name, not that of the folder. G is live; Ps, Pq a still or quivering print; Vl, Vm a
replay on a Lenovo display or a Mac; Mc, Mf, Mu a mask of paper: cropped, full, upper.
"""

import re

from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.reader import Reader, everything

SPECIES = {
    "G": "live",
    "Ps": "print/still",
    "Pq": "print/quivering",
    "Vl": "replay/lenovo",
    "Vm": "replay/mac",
    "Mc": "mask/paper-cropped",
    "Mf": "mask/paper-full",
    "Mu": "mask/paper-upper",
}

PATH = re.compile(r"(?:^|/)(_?)\d+/((G|Ps|Pq|Vl|Vm|Mc|Mf|Mu)_(N?T)_([A-Za-z0-9]+)_(w?g)_([A-Z]+)_(\d+)_(\d+))\Z")


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None. A folder with a leading `_` is of the test people."""
    match = PATH.search(path)
    if match is None:
        return None
    test, stem, kind, speaking, device, glasses, background, person, _ = match.groups()
    split = "test" if test else "train"
    return Recording(
        domain="rose_youtu",
        subject=person,
        name=f"{split}/{person}/{stem}",
        split="test" if test else "train",
        label=Label.LIVE if kind == "G" else Label.SPOOF,
        species=SPECIES[kind],
        sources=(),
        factors={
            "device": device,
            "condition": background,
            "glasses": "yes" if glasses == "g" else "no",
            "speaking": "yes" if speaking == "T" else "no",
        },
    )


READER = Reader(
    name="rose_youtu",
    title="ROSE-Youtu",
    example="train/3/G_NT_5s_g_E_3_1.mp4",
    describe=describe,
    totals={Label.LIVE: 896, Label.SPOOF: 2601},
    protocols=(everything("official", ("train", "test")),),
    doubt="expected are the 3497 files of one published list; others speak of 500 live and 2850 spoof videos",
)
