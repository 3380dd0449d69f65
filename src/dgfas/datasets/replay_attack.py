"""Idiap Replay-Attack: 50 people before one webcam in two lights, attacks by hand or fixed (Chingovska et al. 2012).

`{train,devel,test}/real/client001_session01_webcam_authenticate_{adverse,controlled}_{1,2}.mov` and
`{train,devel,test}/attack/{hand,fixed}/attack_{print,mobile,highdef}_client001_session01_{highdef,mobile}_{photo,video}_
{adverse,controlled}.mov`. An attack lies once in `hand` and once in `fixed` under the same name. The videos of `enroll`
are for face recognition and are left out.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.reader import Reader, everything, only, path_of, with_file

SPLITS: dict[str, Split] = {"train": "train", "devel": "dev", "test": "test"}
# fmt: off
CLIENTS: dict[str, tuple[int, ...]] = {
    "train": (1, 2, 4, 6, 7, 8, 12, 16, 18, 25, 27, 103, 105, 108, 110),
    "devel": (3, 5, 10, 15, 17, 22, 29, 30, 101, 111, 113, 114, 116, 118, 119),
    "test": (9, 11, 13, 14, 19, 20, 21, 23, 24, 26, 28, 31, 102, 104, 106, 107, 109, 112, 115, 117),
}
# fmt: on
LIGHTS = ("controlled", "adverse")
#: What is shown: the instrument, the camera that took the photo or video, and which of both it is.
SHOWN = (
    "print/highdef_photo",
    "mobile/mobile_photo",
    "mobile/mobile_video",
    "highdef/highdef_photo",
    "highdef/highdef_video",
)

LIVE = re.compile(
    r"(?:^|/)(train|dev|devel|test)/real/"
    r"(client(\d{3})_session(\d+)_webcam_authenticate_(adverse|controlled)_(\d))\Z"
)
ATTACK = re.compile(
    r"(?:^|/)(train|dev|devel|test)/(?:attack|attk)/(hand|fixed)/"
    r"(attack_(print|mobile|highdef)_client(\d{3})_session(\d+)_(?:highdef|mobile)_(photo|video)_(adverse|controlled))\Z"
)
ENROLMENT = re.compile(r"(?:^|/)enroll/|_enroll_")


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None."""
    if match := LIVE.search(path):
        folder, stem, client, session, light, _ = match.groups()
        place, label, species, factors = "real", Label.LIVE, "live", {}
    elif match := ATTACK.search(path):
        folder, support, stem, instrument, client, session, medium, light = match.groups()
        place, label = f"attack/{support}", Label.SPOOF
        species = "print" if instrument == "print" else f"replay/{instrument}"
        factors = {"support": support, "medium": medium}
    else:
        return None
    folder = "devel" if folder == "dev" else folder
    return Recording(
        domain="replay_attack",
        subject=client,
        name=f"{folder}/{place}/{stem}",
        split=SPLITS[folder],
        label=label,
        species=species,
        sources=(),
        factors={"device": "webcam", "session": str(int(session)), "condition": light, **factors},
    )


def add_boxes(root: Path, recordings: list[Recording], notes: list[str]) -> list[Recording]:
    """Add the files of face boxes, `face-locations/<path>.face`."""
    done = []
    for recording in recordings:
        path = path_of(recording)
        top = path.parents[recording.name.count("/")]
        inside = path.relative_to(top).with_suffix(".face")
        done.append(with_file(recording, "boxes", top / "face-locations" / inside))
    return done


def names(root: Path) -> Iterator[str]:
    """Yield the official path of every recording."""
    for folder, clients in CLIENTS.items():
        for client, light in itertools.product(clients, LIGHTS):
            who = f"client{client:03d}_session01"
            for take in (1, 2):
                yield f"{folder}/real/{who}_webcam_authenticate_{light}_{take}"
            for support, shown in itertools.product(("hand", "fixed"), SHOWN):
                instrument, sample = shown.split("/")
                yield f"{folder}/attack/{support}/attack_{instrument}_{who}_{sample}_{light}"


READER = Reader(
    name="replay_attack",
    title="Replay-Attack",
    example="train/attack/hand/attack_highdef_client001_session01_highdef_video_controlled.mov",
    describe=describe,
    expected={
        ("train", Label.LIVE): 60,
        ("train", Label.SPOOF): 300,
        ("dev", Label.LIVE): 60,
        ("dev", Label.SPOOF): 300,
        ("test", Label.LIVE): 80,
        ("test", Label.SPOOF): 400,
    },
    names=names,
    protocols=(
        everything("grandtest"),
        only("print", "species", "live", "print"),
        only("mobile", "species", "live", "replay/mobile"),
        only("highdef", "species", "live", "replay/highdef"),
        everything("cross-domain (train and test)", ("train", "test")),
    ),
    finish=add_boxes,
    left_out=lambda path: ENROLMENT.search(path) is not None,
)
