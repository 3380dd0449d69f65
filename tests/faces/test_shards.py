"""Preparation in shards, joined again."""

import filecmp
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import write_manifest
from dgfas.core.recording import Recording
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
from dgfas.faces.shards import Shard, merge, parse_shard

OPTIONS = PrepareOptions(size=32, detector="none", frames_per_recording=2)


@pytest.fixture
def recordings(tmp_path: Path, models: None) -> list[Recording]:
    """Seven photos in an order that their names do not have; the second and the last cannot be read."""
    random = np.random.default_rng(0)
    found = []
    for number, name in enumerate("gfaedcb"):
        path = tmp_path / f"{name}.png"
        assert cv2.imwrite(str(path), random.integers(0, 256, (40, 40, 3), np.uint8))
        if number in (1, 6):
            path.write_bytes(b"")
        label = Label.LIVE if number % 2 else Label.SPOOF
        found.append(Recording("d", name, name, "train", label, "live" if label else "print", (path,)))
    return found


def shards(recordings: list[Recording], tmp_path: Path, count: int) -> list[Path]:
    folders = []
    for index in range(1, count + 1):
        shard, folder = Shard(index, count), tmp_path / f"shard-{index}"
        shard.mark(folder)
        prepare(shard.of(recordings), folder, OPTIONS)
        folders.append(folder)
    return folders


@pytest.mark.parametrize("count", [1, 3, 7])
def test_joined_shards_equal_one_run(count: int, recordings: list[Recording], tmp_path: Path) -> None:
    one = prepare(recordings, tmp_path / "one", OPTIONS).manifest
    joined = merge(tmp_path / "joined", shards(recordings, tmp_path, count)[::-1])
    pd.testing.assert_frame_equal(joined.frames, one.frames)
    pd.testing.assert_frame_equal(joined.rejected, one.rejected)
    assert joined.content_hash == one.content_hash
    assert (tmp_path / "joined" / "recordings.csv").read_text() == (tmp_path / "one" / "recordings.csv").read_text()
    files = [str(path.relative_to(tmp_path / "one")) for path in (tmp_path / "one").rglob("*") if path.is_file()]
    found = [str(path.relative_to(tmp_path / "joined")) for path in (tmp_path / "joined").rglob("*") if path.is_file()]
    assert sorted(found) == sorted(files)
    faces = [name for name in files if name.endswith(".png")]
    assert len(faces) == 5
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "joined", faces, shallow=False)[0] == faces
    assert prepare(recordings, tmp_path / "joined", OPTIONS).resumed == 5  # all but those that cannot be read


def test_joining_again_does_nothing_and_another_data_set_is_refused(
    recordings: list[Recording], tmp_path: Path
) -> None:
    folders = shards(recordings, tmp_path, 2)
    first = merge(tmp_path / "joined", folders)
    assert merge(tmp_path / "joined", folders).content_hash == first.content_hash
    prepare(recordings, tmp_path / "other", replace(OPTIONS, size=64))
    with pytest.raises(UserError, match="other: holds another data set"):
        merge(tmp_path / "other", folders)


@pytest.mark.parametrize("links", [True, False])
def test_joining_again_brings_what_was_prepared_anew(
    links: bool, recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr("dgfas.faces.shards.os.link", not_supported)
    folders = shards(recordings, tmp_path, 2)
    merge(tmp_path / "joined", folders)
    assert cv2.imwrite(str(recordings[0].sources[0]), np.full((40, 40, 3), 200, np.uint8))
    prepare(Shard(1, 2).of(recordings), folders[0], OPTIONS)
    merge(tmp_path / "joined", folders)
    crop = cv2.imread(str(tmp_path / "joined" / "faces" / "d" / "g" / "000000.png"))
    np.testing.assert_array_equal(crop, np.full((32, 32, 3), 200))
    assert prepare(recordings, tmp_path / "joined", OPTIONS).resumed == 5  # all but those that cannot be read
    assert not list((tmp_path / "joined").rglob("*.partial"))
    if not links:  # what was copied is known again
        crop = next((tmp_path / "joined" / "faces").rglob("*.png"))
        before = crop.stat().st_ino
        merge(tmp_path / "joined", folders)
        assert crop.stat().st_ino == before


def not_supported(*_: object) -> None:
    raise OSError(95, "Operation not supported")


def test_joining_does_not_overwrite_other_data(recordings: list[Recording], tmp_path: Path) -> None:
    folders = shards(recordings[:4], tmp_path, 2)
    frames = prepare(recordings, tmp_path / "others", OPTIONS).manifest.frames
    for name in ("simulated", "begun"):
        (tmp_path / name).mkdir()
    write_manifest(tmp_path / "simulated", frames)
    (tmp_path / "begun" / "simulation.json").write_text("{}")
    for name in ("simulated", "begun"):
        with pytest.raises(UserError, match=f"{name}: holds another data set; choose a new folder"):
            merge(tmp_path / name, folders)
    others = [replace(recording, domain="other") for recording in recordings]
    prepare(others, tmp_path / "other", OPTIONS)
    with pytest.raises(UserError, match="other: was prepared from other recordings; choose a new folder"):
        merge(tmp_path / "other", folders)
    assert len(merge(tmp_path / "others", folders).frames) == 3  # some of the same recordings


def test_shards_with_names_that_look_like_numbers_are_joined(recordings: list[Recording], tmp_path: Path) -> None:
    names = ["1", "2", "3", "NA", "None", "007", "1.0"]
    named = [replace(each, domain="2024", name=name) for each, name in zip(recordings, names, strict=True)]
    one = prepare(named, tmp_path / "one", OPTIONS).manifest
    joined = merge(tmp_path / "joined", shards(named, tmp_path, 3))
    pd.testing.assert_frame_equal(joined.frames, one.frames)
    pd.testing.assert_frame_equal(joined.rejected, one.rejected)
    assert joined.rejected["recording"].tolist() == ["2", "1.0"]
    assert (tmp_path / "joined" / "recordings.csv").read_text() == (tmp_path / "one" / "recordings.csv").read_text()


def test_what_cannot_be_joined_is_named(recordings: list[Recording], tmp_path: Path) -> None:
    folders = shards(recordings, tmp_path, 3)
    with pytest.raises(UserError, match=r"shard 1/3, 3/3 is missing; name the folders of all 3"):
        merge(tmp_path / "joined", folders[1:2])
    with pytest.raises(UserError, match=r"shard-2: is shard 2/3, and so is .*shard-2"):
        merge(tmp_path / "joined", [*folders, tmp_path / "shard-3" / ".." / "shard-2"])
    with pytest.raises(UserError, match=r"is not a shard made by"):
        merge(tmp_path / "joined", [tmp_path])
    prepare(Shard(3, 3).of(recordings), folders[2], replace(OPTIONS, size=64))
    with pytest.raises(UserError, match=r"shard-3: was prepared with size 64, .*shard-1 with 32"):
        merge(tmp_path / "joined", folders)
    (folders[1] / "manifest.parquet").unlink()
    with pytest.raises(UserError, match=r"shard-2: shard 2/3 is not finished"):
        merge(tmp_path / "joined", folders)
    assert not (tmp_path / "joined").exists()


def test_a_folder_holds_one_shard(recordings: list[Recording], tmp_path: Path) -> None:
    folders = shards(recordings, tmp_path, 2)
    Shard(1, 2).mark(folders[0])
    with pytest.raises(UserError, match="holds shard 1/2, not 2/2"):
        Shard(2, 2).mark(folders[0])
    prepare(recordings, tmp_path / "whole", OPTIONS)
    with pytest.raises(UserError, match="holds a data set that is no shard"):
        Shard(1, 2).mark(tmp_path / "whole")
    with pytest.raises(UserError, match="there are only 7 recordings"):
        Shard(1, 8).of(recordings)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/", "-1/3", "1/3/5"])
def test_a_shard_is_written_as_i_of_n(text: str) -> None:
    with pytest.raises(UserError, match="write it as i/n"):
        parse_shard(text)
    assert parse_shard("3/3") == Shard(3, 3)
