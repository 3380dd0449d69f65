"""A published data set, from its folder to a prepared one, as a user types it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from command_line import dgfas, succeed
from skimage import data

from clips import write_clip
from dgfas.core.manifest import Manifest
from dgfas.datasets.registry import readers
from published_trees import build_tree, link

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "office_faces.py"
CLIENTS = [
    "real/real_client003_android_SD_scene01",  # upside down, says the data set
    "real/real_client001_laptop_SD_scene01",
    "attack/attack_client001_laptop_SD_printed_photo_scene01",
]


def test_doctor_says_what_is_missing_and_exits_with_3(tmp_path: Path) -> None:
    root = build_tree("msu-mfsd", tmp_path / "msu", CLIENTS)
    answer = dgfas("doctor", "msu-mfsd", root, "--names", 1)
    assert answer.code == 3
    assert answer.err == ""
    lines = answer.out.splitlines()
    assert lines[1].split() == ["train", "live", "30", "1"]
    assert "missing (277): attack/attack_client001_android_SD_ipad_video_scene01 and 276 more" in lines
    assert "protocol laptop: train live 0 of 15, train spoof 0 of 45, test live 1 of 20, test spoof 1 of 60" in lines
    assert lines[-1] == "incomplete: 3 recordings of 2 people"


def test_doctor_of_a_whole_data_set_exits_with_0(tmp_path: Path) -> None:
    answer = succeed("doctor", "msu_mfsd", build_tree("msu-mfsd", tmp_path))
    assert answer.out.splitlines()[-1] == "complete: 280 recordings of 35 people"


def test_a_data_set_is_prepared_by_its_name(tmp_path: Path, models: None) -> None:
    face = cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA)
    root = build_tree("msu-mfsd", tmp_path / "msu", CLIENTS, image=face)
    build_tree("msu-mfsd", root / "android", CLIENTS[:1], image=np.ascontiguousarray(face[::-1, ::-1]))
    (root / "scene01/real/real_client003_android_SD_scene01.mp4").unlink()
    answer = succeed("prepare", "msu-mfsd", root, tmp_path / "out", "--frames", 1, "--workers", 1, "--size", 64)
    assert f"note: incomplete: 3 recordings of 2 people; `dgfas doctor msu-mfsd {root}` says" in answer.out
    assert "seem to lie turned" not in answer.out
    frames = Manifest.read(tmp_path / "out").frames
    columns = ["domain", "subject", "split", "species", "device", "session", "depth_kind"]
    assert frames[columns].to_numpy().tolist() == [
        ["msu_mfsd", "001", "test", "print", "laptop", "1", "zero"],
        ["msu_mfsd", "001", "test", "live", "laptop", "1", "map"],
        ["msu_mfsd", "003", "train", "live", "android", "1", "map"],
    ]
    assert pd.notna(frames["quarter_turns"]).tolist() == [False, False, True]
    (root / "rest.zip").touch()
    mistake = dgfas("prepare", "msu-mfsd", root, tmp_path / "out").mistake
    assert "incomplete: 3 recordings of 2 people, and archives that were not unpacked wholly (rest.zip" in mistake


def test_a_reader_of_ones_own_is_named_by_its_path(tmp_path: Path, models: None) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [data.astronaut()[::2, ::2]], "libx264")
    for name in ("train/p01_phone1_live_1", "test/p05_phone2_print_3"):
        link(clip, tmp_path / "office" / f"{name}.mp4")
    answer = dgfas("doctor", EXAMPLE, tmp_path / "office")
    assert answer.code == 3
    assert answer.out.splitlines()[-1] == "incomplete: 2 recordings of 2 people"
    answer = succeed(
        "prepare", EXAMPLE, tmp_path / "office", tmp_path / "out", "--frames", 1, "--size", 64, "--workers", 1
    )
    assert f"`dgfas doctor {EXAMPLE} {tmp_path / 'office'}` says what is missing" in answer.out
    assert Manifest.read(tmp_path / "out").frames["species"].tolist() == ["print", "live"]


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    root = build_tree("msu-mfsd", tmp_path / "msu", CLIENTS)
    assert "looks like MSU-MFSD" in dgfas("doctor", "oulu-npu", root).mistake
    assert "looks like MSU-MFSD" in dgfas("prepare", "casia-fasd", root, tmp_path / "out").mistake
    assert not (tmp_path / "out").exists()
    assert "unknown data set 'msu'; did you mean 'msu-mfsd'" in dgfas("doctor", "msu", root).mistake
    assert "name the folder of MSU-MFSD too" in dgfas("doctor", "msu-mfsd").mistake
    assert "No such command 'msu'" in dgfas("prepare", "msu", root, tmp_path / "out").err


@pytest.mark.parametrize("word", [reader.word for reader in readers()])
def test_the_help_of_a_data_set_has_an_example(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = succeed("prepare", word, "--help")
    assert f"Example: dgfas prepare {word} SOURCE OUT" in answer.out


def test_the_help_of_a_reader_of_ones_own_is_of_it() -> None:
    answer = succeed("prepare", EXAMPLE, "--help")
    assert answer.out.count("OULU") == 0
    assert "Prepare Office Faces from its folder." in answer.out
    assert "Example: dgfas prepare" in answer.out
