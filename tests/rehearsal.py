"""The commands of docs/reproduce-the-table.md on folders that look like the four data sets and show one face.

Everything at the setting `small`, one frame a recording, ten iterations: it proves the way, its numbers mean nothing.

    python tests/rehearsal.py OUT
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.registry import find_reader
from documented_commands import DOCS, documented_commands
from published_trees import build_tree

WORDS = ("oulu-npu", "casia-fasd", "replay-attack", "msu-mfsd")
PAGE = DOCS / "reproduce-the-table.md"
#: What is added to the page's commands so that they end soon.
SHORTER = {
    "prepare": ["--frames", "1"],
    "benchmark": ["--setting", "small", "--iterations", "10", "--processes", "2"],
}


def rehearse(out: Path, chosen: Callable[[Recording], bool] = lambda recording: True) -> None:
    """Build the folders in `out`/data, with the recordings that are `chosen`, and run the page's commands in `out`."""
    for word in WORDS:
        reader = find_reader(word)
        assert reader.names is not None
        recordings = {name: reader.describe(name) for name in reader.names(Path())}
        names = [name for name, recording in recordings.items() if recording is not None and chosen(recording)]
        build_tree(word, out / "data" / word, None if len(names) == len(recordings) else names, picture)
    for words in documented_commands(PAGE):
        if "--fetch-models" in words or "--dry-run" in words:
            continue
        here = [str(out / word[1:]) if word.startswith("/data/") else word for word in words]
        command = [sys.executable, "-m", "dgfas", *here, *SHORTER.get(words[0], [])]
        print("dgfas", *command[3:], flush=True)
        code = subprocess.run(command, cwd=out, check=False).returncode
        if code and (words[0], code) != ("doctor", 3):  # 3: some recordings were not chosen
            raise SystemExit(f"exit code {code}")


def picture(recording: Recording) -> np.ndarray:
    """Return what a camera sees: the person's brightness, an attack's blur; upside down where the data set is so."""
    return _picture(recording.label is Label.LIVE, int(recording.subject) % 3, "quarter_turns" in recording.factors)


@cache
def _picture(live: bool, person: int, turned: bool) -> np.ndarray:
    face = cv2.resize(data.astronaut()[:320, 60:380], (160, 160), interpolation=cv2.INTER_AREA)
    face = np.clip(face * (0.8, 1.0, 1.2)[person], 0, 255).astype(np.uint8)
    face = face if live else cv2.blur(face, (3, 3))
    return np.ascontiguousarray(face[::-1, ::-1] if turned else face)


if __name__ == "__main__":
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    rehearse(Path(sys.argv[1]).resolve())
