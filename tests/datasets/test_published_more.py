"""CelebA-Spoof, SiW and ROSE-Youtu: what names and lists say, and their counts."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.completeness import compare
from dgfas.datasets.reader import Reader
from dgfas.datasets.reading import Reading, read_data_set
from dgfas.datasets.registry import find_reader, readers
from dgfas.faces.given import given_boxes

#: path in the data set -> spoof type and label by its lists; their 0 is live
PHOTOS = {
    "Data/train/10/live/000001.jpg": (0, 0),
    "Data/train/10/spoof/000002.png": (1, 1),
    "Data/train/10/spoof/000003.jpg": (5, 1),
    "Data/test/11/spoof/000004.jpg": (8, 1),
    "Data/test/11/spoof/000005.jpg": (10, 1),
}


def described(word: str, path: str) -> Recording | None:
    return find_reader(word).describe(path)


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    root = tmp_path / "CelebA_Spoof"
    for name in PHOTOS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"photo")
    (root / "Data/train/10/live/000001_BB.txt").write_text("56 28 112 168 0.999\n")
    write_lists(root, PHOTOS)
    return root


def write_lists(root: Path, photos: dict[str, tuple[int, int]]) -> None:
    folder = root / "metas/intra_test"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        listed = {
            name: [1] * 40 + [spoof_type, 3, 2, label]
            for name, (spoof_type, label) in photos.items()
            if name.startswith(f"Data/{split}")
        }
        (folder / f"{split}_label.json").write_text(json.dumps(listed))


def read(root: Path, word: str = "celeba-spoof") -> Reading:
    return read_data_set(find_reader(word), root)


def test_celeba_spoof_takes_the_attack_from_its_lists_and_turns_its_labels_round(celeba: Path) -> None:
    found = [(each.name, each.subject, each.split, each.label, each.species) for each in read(celeba).recordings]
    assert found == [
        ("test/11/spoof/000004", "11", "test", Label.SPOOF, "replay/pad"),
        ("test/11/spoof/000005", "11", "test", Label.SPOOF, "mask/3d"),
        ("train/10/live/000001", "10", "train", Label.LIVE, "live"),
        ("train/10/spoof/000002", "10", "train", Label.SPOOF, "print/photo"),
        ("train/10/spoof/000003", "10", "train", Label.SPOOF, "mask/paper-upper-body"),
    ]
    assert [each.planar for each in read(celeba).recordings] == [True, False, False, True, False]
    assert read(celeba.parent).recordings[0].factors == {"condition": "3", "environment": "2"}


def test_the_box_of_celeba_spoof_is_in_a_frame_of_224_pixels(celeba: Path) -> None:
    live = next(each for each in read(celeba).recordings if each.label is Label.LIVE)
    assert live.factors["box_224"] == "56 28 112 168"
    # x 56/224 = 1/4, y 28/224 = 1/8, width 1/2, height 3/4 of a photo of 400 x 800
    assert given_boxes(live)(0, 400, 800) == pytest.approx((100, 100, 300, 700))


def test_celeba_spoof_is_compared_with_its_lists(celeba: Path) -> None:
    whole = compare(find_reader("celeba-spoof"), read(celeba))
    assert whole.complete, whole.lines
    (celeba / "Data/train/10/spoof/000002.png").rename(celeba / "Data/train/10/spoof/000009.png")
    completeness = compare(find_reader("celeba-spoof"), read(celeba))
    assert not completeness.complete
    assert "missing (1): train/10/spoof/000002" in completeness.lines
    assert "extra (1): train/10/spoof/000009" in completeness.lines


@pytest.mark.parametrize(("spoof_type", "label"), [(1, 1), (0, 1), (1, 0)])
def test_a_list_of_celeba_spoof_that_contradicts_the_folder(celeba: Path, spoof_type: int, label: int) -> None:
    write_lists(celeba / "again", PHOTOS | {"Data/train/10/live/000001.jpg": (spoof_type, label)})
    for path in (celeba / "again/metas").rglob("*.json"):
        (celeba / "metas/intra_test" / path.name).write_text(path.read_text())
    with pytest.raises(UserError, match=r"000001.jpg: lies in the folder `live`, but the lists give it label"):
        read(celeba)


def test_lists_of_celeba_spoof_that_are_missing_or_damaged(celeba: Path) -> None:
    path = celeba / "metas/intra_test/train_label.json"
    path.write_text(json.dumps({"Data/train/10/live/000001.jpg": [1, 2]}))
    with pytest.raises(UserError, match=r"train_label.json: cannot be read .*has no place or not 44 numbers"):
        read(celeba)
    path.write_text("{")
    with pytest.raises(UserError, match=r"train_label.json: cannot be read"):
        read(celeba)
    path.unlink()
    path.with_name("test_label.json").unlink()
    path.parent.rmdir()
    with pytest.raises(UserError, match="holds no metas/intra_test"):
        read(celeba)


@pytest.mark.parametrize(
    ("word", "path", "facts"),
    [
        ("siw", "Train/live/032/032-1-1-2-1", ("032", "train", 1, "live", "1", "1", "2")),
        ("siw", "Test/spoof/001/001-2-3-4-2", ("001", "test", 0, "replay/medium4", "2", "2", None)),
        ("siw", "SiW_release/Train/spoof/032/032-1-2-1-1", ("032", "train", 0, "print/medium1", "1", "1", None)),
        ("rose-youtu", "train/10/G_NT_5s_g_E_16_1", ("16", "train", 1, "live", "5s", None, "E")),
        ("rose-youtu", "test/_18/Vl_NT_HW_wg_E_14_151", ("14", "test", 0, "replay/lenovo", "HW", None, "E")),
        ("rose-youtu", "train/3/Ps_NT_ZTE_g_E_3_137", ("3", "train", 0, "print/still", "ZTE", None, "E")),
        ("rose-youtu", "test/_20/Mu_T_IP_g_E_17_98", ("17", "test", 0, "mask/paper-upper", "IP", None, "E")),
    ],
)
def test_a_name_says(word: str, path: str, facts: tuple[str, ...]) -> None:
    recording = described(word, path)
    assert recording is not None
    known = [recording.factors.get(name) for name in ("device", "session", "condition")]
    assert (recording.subject, recording.split, recording.label, recording.species, *known) == facts


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("siw", "Train/live/032/032-1-3-1-1"),  # a replay among live ones
        ("siw", "Train/live/032/032-1-1-1"),
        ("rose-youtu", "train/3/Mx_NT_5s_g_E_3_1"),
        ("celeba-spoof", "Data/train/10/live/1/000001"),
        ("celeba-spoof", "Data/train/10/000001"),
    ],
)
def test_other_names_are_of_no_recording(word: str, path: str) -> None:
    assert described(word, path) is None


def siw_recordings() -> list[Recording]:
    """Return all that one test and one training person could have, by plain loops."""
    found = []
    for folder, person in (("Train", "032"), ("Test", "001")):
        for sensor, medium, session in itertools.product("12", "1234", "12"):
            paths = [f"spoof/{person}/{person}-{sensor}-3-{medium}-{session}"]
            if medium in "12":
                paths += [
                    f"{place}/{person}/{person}-{sensor}-{kind}-{medium}-{session}"
                    for place, kind in (("live", "1"), ("spoof", "2"))
                ]
            found += [described("siw", f"{folder}/{path}") for path in paths]
    return [each for each in found if each is not None]


@pytest.mark.parametrize(
    ("protocol", "train", "test"),
    [
        ("1", "live 8 print 8 replay 16", "live 8 print 8 replay 16"),
        ("2_4", "live 8 replay 12", "live 8 replay 4"),
        ("3_1", "live 8 print 8", "live 8 replay 16"),
        ("3_2", "live 8 replay 16", "live 8 print 8"),
    ],
)
def test_siw_protocols(protocol: str, train: str, test: str) -> None:
    assert len(siw_recordings()) == 64
    (rule,) = (each for each in find_reader("siw").protocols if each.name == protocol)
    for split, expected in (("train", train), ("test", test)):
        used = Counter(
            each.species.split("/")[0] for each in siw_recordings() if each.split == split and rule.uses(each)
        )
        assert " ".join(f"{kind} {used[kind]}" for kind in sorted(used)) == expected


def test_counts_alone_say_how_many_are_missing_and_why_that_may_be(tmp_path: Path) -> None:
    for name in ("Train/live/032/032-1-1-1-1.mov", "Test/spoof/001/001-1-3-4-1.mov"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"clip")
    lines = compare(find_reader("siw"), read(tmp_path, "siw")).lines
    assert "missing: 713 live of train" in lines
    assert "protocol 2_4 holds train live 1, test spoof 1" in lines
    assert "protocol 2_1 holds train live 1" in lines
    assert any(line.startswith("note: expected are the 4469 files of one published list") for line in lines)
    assert lines[-1] == "incomplete: 2 recordings of 2 people"


def test_totals_alone_are_compared_by_class(tmp_path: Path) -> None:
    (tmp_path / "train/3").mkdir(parents=True)
    (tmp_path / "train/3/G_NT_5s_g_E_3_1.mp4").write_bytes(b"clip")
    lines = compare(find_reader("rose-youtu"), read(tmp_path, "rose-youtu")).lines
    assert lines[1].split() == ["train", "live", "-", "1"]
    assert "missing: 895 of 896 live in all" in lines


def test_no_example_is_of_two_data_sets() -> None:
    def named(reader: Reader) -> set[str]:
        path = Path(reader.example).with_suffix("").as_posix()
        return {other.word for other in readers() if other.describe(path) is not None}

    assert {reader.word: named(reader) for reader in readers()} == {each.word: {each.word} for each in readers()}
