"""A recording ends upright, whoever says how it is stored; a contradiction is one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clips import write_clip
from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.faces.finder import FaceFinder
from dgfas.faces.images import ORIENTATION_TAG
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
from dgfas.faces.rotation import turn_hint, turns_needed
from dgfas.faces.video import tagged_turns

GREY = np.full((64, 96, 3), 90, np.uint8)


def recording(path: Path, **factors: str) -> Recording:
    return Recording("d", "s", "r", "train", Label.LIVE, "live", (path,), factors)


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_the_tag_is_read_in_quarter_turns(tmp_path: Path, degrees: int, turns: int) -> None:
    assert tagged_turns(write_clip(tmp_path / "clip.mp4", [GREY] * 2, rotation=degrees)) == turns


@pytest.mark.parametrize(("tag", "known", "needed"), [(0, "0", 0), (90, "0", 0), (0, "2", 2), (180, "2", 0)])
def test_a_known_turn_is_made_once(tmp_path: Path, tag: int, known: str, needed: int) -> None:
    path = write_clip(tmp_path / "clip.mp4", [GREY] * 2, rotation=tag)
    assert turns_needed(recording(path, quarter_turns=known)) == needed


def test_a_tag_that_contradicts_the_data_set_is_one_line(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [GREY] * 2, rotation=90)
    with pytest.raises(UserError, match=r"clip.mp4: its rotation tag says 90 degrees, the data set 180; one of"):
        turns_needed(recording(path, quarter_turns="2"))


@pytest.mark.parametrize(("tag", "turns"), [(1, 0), (2, 0), (3, 2), (4, 2), (5, 3), (6, 3), (7, 1), (8, 1), (9, 0)])
@pytest.mark.parametrize("count", [1, 2])
def test_a_known_turn_of_photos_with_a_tag_is_made_once(tmp_path: Path, tag: int, turns: int, count: int) -> None:
    paths = tuple(tmp_path / f"{number}.jpg" for number in range(count))
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = tag
    for path in paths:
        Image.fromarray(GREY).save(path, exif=exif)
    photo = replace(recording(paths[0], quarter_turns=str(turns)), sources=paths)
    assert turns_needed(photo) == 0
    if turns:
        other = replace(photo, factors={"quarter_turns": str(turns % 3 + 1)})
        with pytest.raises(UserError, match=rf"0.jpg: its rotation tag says {90 * turns} degrees, the data set "):
            turns_needed(other)
    else:
        assert turns_needed(replace(photo, factors={"quarter_turns": "1"})) == 1


def test_a_photo_that_cannot_be_read_has_no_tag(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for name in ("empty.jpg", "gone.jpg"):
        assert turns_needed(recording(tmp_path / name, quarter_turns="1")) == 1


def test_a_clip_that_is_stored_upside_down_is_prepared_or_its_turn_is_told(
    tmp_path: Path, models: None, astronaut: np.ndarray
) -> None:
    stored = np.ascontiguousarray(astronaut[::-1, ::-1])
    cases = {
        "known": ({"quarter_turns": "2"}, 0),
        "tagged": ({"quarter_turns": "2"}, 180),
        "untold": ({}, 0),
    }
    recordings = []
    for name, (factors, tag) in cases.items():
        path = write_clip(tmp_path / f"{name}.mp4", [stored] * 2, rotation=tag)
        recordings.append(Recording("d", name, name, "train", Label.LIVE, "live", (path,), factors))
    result = prepare(recordings, tmp_path / "out", PrepareOptions(size=64, frames_per_recording=1))
    frames = result.manifest.frames.set_index("recording")
    assert frames.index.tolist() == ["known", "tagged", "untold"]
    assert frames["box_left"].tolist()[:2] == pytest.approx([180, 180], abs=12)
    notes = pd.read_csv(tmp_path / "out" / "recordings.csv").set_index("recording")["note"]
    assert notes[["known", "tagged"]].isna().all()
    assert notes["untold"].startswith("the face is seen better when turned by 180 degrees")
    assert result.noted == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_only_a_face_that_lies_is_told(models: None, variants: dict[str, np.ndarray], turns: int) -> None:
    finder = FaceFinder(PrepareOptions(size=64))
    for name, image in variants.items():
        stored = np.ascontiguousarray(np.rot90(image, -turns))
        hint = turn_hint(stored, finder.find(stored), finder)
        if turns == 0:
            assert hint is None, name
        else:
            assert hint is not None, name
            assert f"turned by {90 * turns} degrees" in hint, name
