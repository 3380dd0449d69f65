"""MSU-MFSD: 35 people before a laptop and an Android phone, one print and two replays (Wen et al. 2015).

`scene01/{real,attack}/{real,attack}_client001_{laptop,android}_SD[_{ipad_video,iphone_video,printed_photo}]_scene01`,
`.mov` from the laptop and `.mp4` from the phone. The split is that of the official lists `train_sub_list.txt` and
`test_sub_list.txt`, which number people with two digits; some lists in circulation have the two swapped.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording, Split
from dgfas.datasets.folder import IMAGE_SUFFIXES
from dgfas.datasets.reader import Reader, everything, folders_above, only

# fmt: off
CLIENTS: dict[Split, tuple[int, ...]] = {
    "train": (2, 3, 5, 6, 7, 8, 9, 11, 12, 21, 22, 34, 53, 54, 55),
    "test": (1, 13, 14, 23, 24, 26, 28, 29, 30, 32, 33, 35, 36, 37, 39, 42, 48, 49, 50, 51),
}
# fmt: on
SPLIT_OF = {client: split for split, clients in CLIENTS.items() for client in clients}
SPECIES = {"ipad_video": "replay/ipad", "iphone_video": "replay/iphone", "printed_photo": "print"}
DEVICES = ("laptop", "android")
#: Live recordings that the phone stored upside down; applied only where the file's rotation tag does not say so.
#: Extracted frames have no tag; they are taken for frames as they are stored.
UPSIDE_DOWN = frozenset({3, 5, 6, 7, 8})

PATH = re.compile(
    r"(?:^|/)((real|attack)_client(\d{2,3})_(laptop|android)_SD"
    r"(?:_(ipad_video|iphone_video|printed_photo))?_scene(\d+))\Z"
)


def describe(path: str) -> Recording | None:
    """Return the recording that a path names, or None. Folders do not matter."""
    match = PATH.search(path)
    if match is None or (match[2] == "real") != (match[5] is None) or int(match[3]) not in SPLIT_OF:
        return None
    kind, number, device, instrument, scene = match[2], int(match[3]), match[4], match[5], match[6]
    stem = f"{kind}_client{number:03d}_{device}_SD{f'_{instrument}' if instrument else ''}_scene{scene}"
    factors = {"device": device, "session": str(int(scene))}
    if kind == "real" and device == "android" and number in UPSIDE_DOWN:
        factors["quarter_turns"] = "2"
    return Recording(
        domain="msu_mfsd",
        subject=f"{number:03d}",
        name=f"{kind}/{stem}",
        split=SPLIT_OF[number],
        label=Label.LIVE if kind == "real" else Label.SPOOF,
        species=SPECIES[instrument] if instrument else "live",
        sources=(),
        factors=factors,
    )


def check_lists_and_turns(root: Path, recordings: list[Recording], notes: list[str]) -> list[Recording]:
    """Note where lists beside the data differ from the official ones, which are followed, and which frames are turned.

    Raises UserError for a list that holds something else than numbers.
    """
    frames = [each for each in recordings if each.sources[0].suffix.lower() in IMAGE_SUFFIXES]
    turned = [each.name for each in frames if "quarter_turns" in each.factors]
    if turned:
        notes.append(
            f"{len(turned)} recordings of extracted frames are turned by 180 degrees ({', '.join(turned)}), since "
            "their videos are stored upside down; if the frames are upright already, prepare the videos in their place"
        )
    for folder, (split, official) in itertools.product(folders_above(root, recordings), CLIENTS.items()):
        path = folder / f"{split}_sub_list.txt"
        if path.is_file():
            try:
                listed = {int(line) for line in path.read_text().split()}
            except ValueError as error:
                raise UserError(f"{path}: holds something that is not a number ({error}); restore the file") from error
            if listed != set(official):
                other = ", ".join(str(client) for client in sorted(listed ^ set(official)))
                notes.append(f"{path}: differs from the official list, which is followed, in people {other}")
    return recordings


def names(root: Path) -> Iterator[str]:
    """Yield the official path of every recording."""
    for client, device in itertools.product(SPLIT_OF, DEVICES):
        yield f"real/real_client{client:03d}_{device}_SD_scene01"
        for instrument in SPECIES:
            yield f"attack/attack_client{client:03d}_{device}_SD_{instrument}_scene01"


BOTH: tuple[Split, ...] = ("train", "test")

READER = Reader(
    name="msu_mfsd",
    title="MSU-MFSD",
    example="scene01/attack/attack_client001_laptop_SD_ipad_video_scene01.mov",
    describe=describe,
    expected={
        ("train", Label.LIVE): 30,
        ("train", Label.SPOOF): 90,
        ("test", Label.LIVE): 40,
        ("test", Label.SPOOF): 120,
    },
    names=names,
    protocols=(
        everything("official", BOTH),
        *(only(device, "device", device, splits=BOTH) for device in DEVICES),
    ),
    finish=check_lists_and_turns,
)
