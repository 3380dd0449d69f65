"""A folder that is not what it should be: one clear line, which names the folder and the remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.datasets.completeness import compare
from dgfas.datasets.on_disk import is_archive
from dgfas.datasets.reading import read_data_set
from dgfas.datasets.registry import find_reader
from published_trees import build_tree, link

SOME = ["Train_files/1_1_01_1", "Train_files/1_1_01_2", "Test_files/1_3_36_4"]


@pytest.fixture
def oulu(tmp_path: Path) -> Path:
    return build_tree("oulu-npu", tmp_path / "oulu", SOME)


def refusal(root: Path, word: str = "oulu-npu") -> str:
    with pytest.raises(UserError) as error:
        read_data_set(find_reader(word), root)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_another_data_set_is_named(oulu: Path) -> None:
    assert "oulu: looks like OULU-NPU (3 of 3 photos and videos are named so), not like" in refusal(oulu, "msu-mfsd")
    assert "say oulu-npu or name the folder of MSU-MFSD" in refusal(oulu, "msu-mfsd")


def test_no_folder_an_empty_one_and_one_of_other_files(tmp_path: Path, oulu: Path) -> None:
    assert refusal(tmp_path / "no").endswith("no: not a folder")
    (tmp_path / "empty").mkdir()
    assert "holds no photo and no video; OULU-NPU has files like Train_files/" in refusal(tmp_path / "empty")
    link(oulu / "Train_files/1_1_01_1.avi", tmp_path / "other/holiday.avi")
    assert "none of its 1 photos and videos (holiday.avi, ...) is named as in OULU-NPU" in refusal(tmp_path / "other")
    (tmp_path / "other/manifest.parquet").touch()
    assert "is a prepared data set already" in refusal(tmp_path / "other")


@pytest.mark.parametrize("name", ["a.zip", "A.RAR", "a.part2.rar", "a.r00", "a.z01", "a.7z.001", "a.tar.gz", "a.tgz"])
def test_archives_are_known(name: str) -> None:
    assert is_archive(name)


@pytest.mark.parametrize("name", ["a.avi", "a.txt", "1_1_01_1.avi", "a.face", "a", "a.mp4", "a.z"])
def test_other_files_are_no_archives(name: str) -> None:
    assert not is_archive(name)


def test_archives_that_nobody_unpacked(tmp_path: Path, oulu: Path) -> None:
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed/Train_files.part1.rar").touch()
    assert "holds nothing of OULU-NPU but 1 archives (Train_files.part1.rar); unpack" in refusal(tmp_path / "packed")
    assert "is an archive; unpack it first" in refusal(tmp_path / "packed/Train_files.part1.rar")
    (oulu / "Test_files.zip").touch()
    lines = compare(find_reader("oulu-npu"), read_data_set(find_reader("oulu-npu"), oulu)).lines
    assert "archives beside the files, not unpacked or not wholly (1): Test_files.zip" in lines


def test_empty_files_are_told(oulu: Path) -> None:
    path = oulu / "Train_files/1_1_01_2.avi"
    path.unlink()
    path.touch()
    lines = compare(find_reader("oulu-npu"), read_data_set(find_reader("oulu-npu"), oulu)).lines
    assert "empty, 0 bytes (1): Train_files/1_1_01_2" in lines


def test_a_recording_that_is_there_twice(oulu: Path) -> None:
    link(oulu / "Train_files/1_1_01_1.avi", oulu / "copy/Train_files/1_1_01_1.avi")
    assert "holds Train_files/1_1_01_1 twice: Train_files/1_1_01_1.avi and copy/Train_files" in refusal(oulu)


def test_a_person_in_two_splits(oulu: Path) -> None:
    link(oulu / "Train_files/1_1_01_1.avi", oulu / "Dev_files/1_1_01_1.avi")
    assert "subject '01' is in dev (Dev_files/1_1_01_1) and in train (Train_files/1_1_01_1); a person" in refusal(oulu)


def test_links_are_followed_once(oulu: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/Train_files").symlink_to(oulu / "Train_files")
    (oulu / "Train_files/up").symlink_to(oulu / "Train_files")
    reading = read_data_set(find_reader("oulu-npu"), tmp_path / "linked")
    assert [recording.name for recording in reading.recordings] == SOME[:2]
    assert reading.unknown == []  # nothing is seen again through the link that leads upwards


def test_very_long_and_foreign_names_above_do_not_matter(oulu: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("ß" * 100) / "данные 数据" / ("x" * 200) / ("y" * 200)
    deep.parent.mkdir(parents=True)
    shutil.move(oulu, deep)
    reading = read_data_set(find_reader("oulu-npu"), deep)
    assert {recording.name for recording in reading.recordings} == set(SOME)


def test_a_folder_of_extracted_frames_is_one_recording(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        path = tmp_path / f"Train_files/1_1_01_2/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        depth = tmp_path / f"depth/Train_files/1_1_01_2/{number}_depth.jpg"
        depth.parent.mkdir(parents=True, exist_ok=True)
        depth.touch()
    (recording,) = read_data_set(find_reader("oulu-npu"), tmp_path).recordings
    assert [path.name for path in recording.sources] == ["1.png", "9.png", "10.png"]


def test_what_cannot_be_read_is_named(somebody_else: Callable[[], None], open_folder: Path) -> None:
    root = build_tree("oulu-npu", open_folder / "oulu", SOME)
    (root / "Train_files/1_1_01_1.avi").unlink()
    shutil.copy(root / "Train_files/1_1_01_2.avi", root / "Train_files/1_1_01_1.avi")
    (root / "Train_files/1_1_01_1.avi").chmod(0o000)
    (root / "Test_files").chmod(0o000)
    somebody_else()
    assert "Test_files: cannot be read (Permission denied); mend the permissions" in refusal(root)
    os.seteuid(os.getuid())
    (root / "Test_files").chmod(0o755)
    somebody_else()
    assert "1_1_01_1.avi: the file cannot be read; mend the permissions" in refusal(root)


def test_a_link_to_nowhere_is_told_and_its_recording_missing(oulu: Path) -> None:
    path = oulu / "Train_files/1_1_01_2.avi"
    path.unlink()
    path.symlink_to(oulu / "gone.avi")
    completeness = compare(find_reader("oulu-npu"), read_data_set(find_reader("oulu-npu"), oulu))
    assert "links to files that are not there (1): Train_files/1_1_01_2" in completeness.lines
    assert "missing (4948): Dev_files/1_1_21_1" in "\n".join(completeness.lines)
    assert completeness.lines[-1] == "incomplete: 2 recordings of 2 people"


@pytest.mark.parametrize("name", ["manifest.parquet", "prepare.json"])
def test_a_prepared_data_set_inside_is_passed_over_and_said(oulu: Path, name: str) -> None:
    crop = oulu / "out/faces/oulu_npu/Train_files/1_1_01_1/000000.png"
    crop.parent.mkdir(parents=True)
    crop.touch()
    (oulu / "out" / name).touch()
    reading = read_data_set(find_reader("oulu-npu"), oulu)
    assert {recording.name for recording in reading.recordings} == set(SOME)
    assert reading.unknown == []
    assert reading.notes == [f"{oulu / 'out'}: is a prepared data set and was passed over"]


def test_unknown_names_and_readers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown data set 'oulu'; did you mean 'oulu-npu'"):
        find_reader("oulu")
    assert find_reader("OULU_NPU").word == "oulu-npu"
    with pytest.raises(UserError, match=r"nothing\.py: does not exist; a reader is a Python file that defines READER"):
        find_reader("nothing.py")
    own = "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n"
    own += "@dataclass\nclass Own:\n    kinds: ClassVar[int] = 1\nfrom dgfas.datasets.oulu_npu import READER\n"
    (tmp_path / "own.py").write_text(own)  # its annotations are looked up in its module
    assert find_reader(str(tmp_path / "own.py")).word == "oulu-npu"
    (tmp_path / "empty.py").touch()
    with pytest.raises(UserError, match=r"empty\.py: does not define READER"):
        find_reader(str(tmp_path / "empty.py"))
