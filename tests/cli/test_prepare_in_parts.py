"""Preparation in parts, and with depth maps made elsewhere, by the command line."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from command_line import dgfas, succeed


def photos(folder: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("live/anna/a.png", "live/bert/b.png", "print/anna/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / name), random.integers(0, 256, (40, 40, 3), np.uint8))
    return folder


def prepare(source: Path, out: Path, *words: object) -> tuple[object, ...]:
    return "prepare", "folder", source, out, "--domain", "office", "--detector", "none", "--workers", 1, *words


def test_two_parts_make_one_data_set(tmp_path: Path, models: None) -> None:
    source = photos(tmp_path / "photos")
    parts = [tmp_path / "1", tmp_path / "2"]
    for number, part in enumerate(parts, start=1):
        succeed(*prepare(source, part, "--shard", f"{number}/2"))
    answer = succeed("prepare", "merge", tmp_path / "joined", *parts)
    assert f"look at {tmp_path}/joined/sheet.png, {tmp_path}/joined/report.html" in answer.out
    assert "3 frames in " in answer.out
    assert "print/anna/c.png" not in (tmp_path / "joined" / "report.html").read_text()  # not rejected
    succeed(*prepare(source, tmp_path / "whole"))
    joined, whole = (pd.read_parquet(tmp_path / name / "manifest.parquet") for name in ("joined", "whole"))
    pd.testing.assert_frame_equal(joined, whole)
    assert "shard 2/2 is missing" in dgfas("prepare", "merge", tmp_path / "no", parts[0]).mistake
    assert "write it as i/n" in dgfas(*prepare(source, tmp_path / "no", "--shard", "2")).mistake
    assert "is no shard" in dgfas(*prepare(source, tmp_path / "whole", "--shard", "1/2")).mistake


def test_recordings_that_are_gone_are_said(tmp_path: Path, models: None) -> None:
    source = photos(tmp_path / "photos")
    assert "left out" not in succeed(*prepare(source, tmp_path / "out")).out
    (source / "live" / "anna" / "a.png").unlink()
    assert "note: 1 recordings that were prepared before" in succeed(*prepare(source, tmp_path / "out")).out


def test_the_data_set_does_not_go_among_its_photos(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos")
    answer = dgfas(*prepare(source, source))
    assert "photos: is SOURCE; name a folder of its own for OUT" in answer.mistake
    assert not (source / "prepare.json").exists()


def test_depth_maps_made_elsewhere(tmp_path: Path, models: None) -> None:
    source = photos(tmp_path / "photos")
    (tmp_path / "depth" / "live" / "anna").mkdir(parents=True)
    assert cv2.imwrite(str(tmp_path / "depth/live/anna/a_depth.jpg"), np.full((40, 40), 128, np.uint8))
    succeed(*prepare(source, tmp_path / "out", "--depth", tmp_path / "depth"))
    frames = pd.read_parquet(tmp_path / "out" / "manifest.parquet").set_index("recording")
    assert frames["depth_kind"].to_dict() == {
        "live/anna/a.png": "map",
        "live/bert/b.png": "unknown",
        "print/anna/c.png": "zero",
    }
    levels = cv2.imread(str(tmp_path / "out" / frames["depth"].iloc[0]), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(levels, np.full((32, 32), 128))
    (tmp_path / "empty").mkdir()
    assert "holds no depth map" in dgfas(*prepare(source, tmp_path / "no", "--depth", tmp_path / "empty")).mistake
