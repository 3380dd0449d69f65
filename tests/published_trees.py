"""Folders with the names, numbers and containers of the published data sets, filled with tiny clips.

A handful of clips is encoded and hard-linked under all names, so that a whole data set takes seconds:

    python tests/published_trees.py oulu-npu /tmp/oulu
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from clips import write_clip
from dgfas.core.recording import Recording
from dgfas.datasets.registry import find_reader

#: data set -> (codec, height, width) of its clips by suffix; sizes are a tenth of the true ones, or less.
CLIPS = {
    ("oulu_npu", ".avi"): ("mpeg4", 192, 108),
    ("casia_fasd", ".avi"): ("mpeg4", 48, 64),
    ("replay_attack", ".mov"): ("mjpeg", 24, 32),
    ("msu_mfsd", ".mov"): ("libx264", 48, 64),
    ("msu_mfsd", ".mp4"): ("libx264", 48, 72),
}

OULU_USERS = {"Train": range(1, 21), "Dev": range(21, 36), "Test": range(36, 56)}


def build_tree(
    word: str,
    root: Path,
    names: Iterable[str] | None = None,
    image: np.ndarray | Callable[[Recording], np.ndarray] | None = None,
) -> Path:
    """Write the files of a data set below `root` (all, or those with the given official `names`) and return `root`.

    Every clip shows `image` (RGB) on three frames, or what `image` returns for its recording, or grey.
    """
    reader = find_reader(word)
    clips: dict[tuple[str, bytes], Path] = {}
    assert reader.names is not None
    for name in reader.names(Path()) if names is None else names:
        recording = reader.describe(name)
        assert recording is not None
        path = root / place(recording)
        codec, height, width = CLIPS[reader.name, path.suffix]
        shown = image(recording) if callable(image) else image
        content = np.full((height, width, 3), 128, np.uint8) if shown is None else shown
        key = path.suffix, hashlib.sha256(content.tobytes()).digest()
        if key not in clips:
            clips[key] = write_clip(root / f".clip{len(clips)}{path.suffix}", [content] * 3, codec)
        link(clips[key], path)
    if reader.name == "oulu_npu" and names is None:
        write_oulu_lists(root)
    if reader.name == "msu_mfsd":
        write_msu_lists(root)
    if reader.name == "replay_attack":
        for folder, light in itertools.product(("train", "devel", "test"), ("adverse", "controlled")):
            link(next(iter(clips.values())), root / f"enroll/{folder}/client001_session01_webcam_enroll_{light}.mov")
    return root


def place(recording: Recording) -> str:
    """Return the path of a recording as the data set has it on disk."""
    if recording.domain == "msu_mfsd":
        return f"scene01/{recording.name}{'.mov' if recording.factors['device'] == 'laptop' else '.mp4'}"
    return recording.name + {"oulu_npu": ".avi", "casia_fasd": ".avi", "replay_attack": ".mov"}[recording.domain]


def link(clip: Path, path: Path) -> None:
    """Give a clip another name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(clip, path)


def write_oulu_lists(root: Path) -> None:
    """Write `Protocols/`, by rules of its own."""
    for protocol, fold, (split, users) in itertools.product("1234", range(7), OULU_USERS.items()):
        if (fold > 0) != (protocol in "34"):
            continue
        lines = []
        for user, phone, session, file in itertools.product(users, range(1, 7), (1, 2, 3), range(1, 6)):
            new_phone, new_session, new_instrument = phone == fold, session == 3, file in (3, 5)
            new = {"1": new_session, "2": new_instrument, "3": new_phone}
            fits = [(new.get(protocol) == (split == "Test"))]
            if protocol == "4":
                fits = [new_phone == (split == "Test"), new_session == (split == "Test")]
            if protocol in "24" and file > 1:
                fits.append(new_instrument == (split == "Test"))
            elif protocol == "2":
                fits = []
            if all(fits):
                label = "+1" if file == 1 else "-1" if file < 4 else "-2"
                lines.append(f"{label},{phone}_{session}_{user:02d}_{file}")
        path = root / f"Protocols/Protocol_{protocol}/{split}{f'_{fold}' if fold else ''}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))


def write_msu_lists(root: Path) -> None:
    """Write the official lists of people as published, without a newline at the end."""
    (root / "train_sub_list.txt").write_text("02\n03\n05\n06\n07\n08\n09\n11\n12\n21\n22\n34\n53\n54\n55")
    test = "01\n13\n14\n23\n24\n26\n28\n29\n30\n32\n33\n35\n36\n37\n39\n42\n48\n49\n50\n51"
    (root / "test_sub_list.txt").write_text(test)


if __name__ == "__main__":
    build_tree(sys.argv[1], Path(sys.argv[2]))
