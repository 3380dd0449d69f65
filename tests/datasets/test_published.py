"""The published data sets: what their names say, what must be there, and what is said when it is not."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from pathlib import Path

import av
import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.completeness import compare
from dgfas.datasets.oulu_npu import PROTOCOLS
from dgfas.datasets.reading import Reading, read_data_set
from dgfas.datasets.registry import find_reader
from dgfas.evaluation.protocols import named_protocols
from dgfas.evaluation.slices import parse_slice
from dgfas.faces.given import given_boxes
from published_trees import OULU_USERS, build_tree, link, place, write_oulu_lists

#: live and spoof recordings of train, dev and test, and people, from the papers
PUBLISHED = {
    "oulu-npu": [(360, 1440), (270, 1080), (360, 1440), 55],
    "casia-fasd": [(60, 180), (0, 0), (90, 270), 50],
    "replay-attack": [(60, 300), (60, 300), (80, 400), 50],
    "msu-mfsd": [(30, 90), (0, 0), (40, 120), 35],
}
NAMED = list(PUBLISHED)


def described(word: str, path: str) -> Recording:
    recording = find_reader(word).describe(path)
    assert recording is not None, path
    return recording


@functools.cache
def official(word: str) -> list[Recording]:
    names = find_reader(word).names
    assert names is not None
    return [described(word, name) for name in names(Path())]


def read(word: str, root: Path) -> Reading:
    return read_data_set(find_reader(word), root)


@pytest.mark.parametrize("word", NAMED)
def test_the_official_names_have_the_published_counts(word: str) -> None:
    recordings = official(word)
    assert [recording.name for recording in recordings] == list(find_reader(word).names(Path()))  # type: ignore[misc]
    counts = Counter((recording.split, recording.label) for recording in recordings)
    *expected, people = PUBLISHED[word]
    for split, (live, spoof) in zip(("train", "dev", "test"), expected, strict=True):
        assert (counts[split, Label.LIVE], counts[split, Label.SPOOF]) == (live, spoof)
    assert counts == Counter(find_reader(word).expected)
    assert len({recording.subject for recording in recordings}) == people
    assert all((recording.label is Label.LIVE) == (recording.species == "live") for recording in recordings)


@pytest.mark.parametrize(
    ("word", "path", "facts"),
    [
        # label by the last field, though others are 1 as well
        ("oulu-npu", "Train_files/1_1_01_2", ("01", "train", 0, "print/printer1", {"device": "1", "session": "1"})),
        ("oulu-npu", "Dev_files/6_3_21_1", ("21", "dev", 1, "live", {"device": "6", "session": "3"})),
        ("oulu-npu", "x/test/1_1_36_5", ("36", "test", 0, "replay/display2", {"device": "1", "session": "1"})),
        ("casia-fasd", "train_release/1/1", ("01", "train", 1, "live", {"device": "normal"})),
        ("casia-fasd", "train_release/1/2", ("01", "train", 1, "live", {"device": "low"})),
        ("casia-fasd", "test_release/1/HR_1", ("21", "test", 1, "live", {"device": "high"})),
        ("casia-fasd", "test_release/30/4", ("50", "test", 0, "print/warped", {"device": "low"})),
        ("casia-fasd", "test_release/30/HR_2", ("50", "test", 0, "print/warped", {"device": "high"})),
        ("casia-fasd", "train_release/20/5", ("20", "train", 0, "cut", {"device": "normal"})),
        ("casia-fasd", "train_release/20/HR_3", ("20", "train", 0, "cut", {"device": "high"})),
        ("casia-fasd", "train_release/9/8", ("09", "train", 0, "replay/ipad", {"device": "low"})),
        ("casia-fasd", "train_release/9/HR_4", ("09", "train", 0, "replay/ipad", {"device": "high"})),
        ("casia-fasd", "train_release/12_NM_7", ("12", "train", 0, "replay/ipad", {"device": "normal"})),
        ("casia-fasd", "test/12_HR_1", ("32", "test", 1, "live", {"device": "high"})),
        ("casia-fasd", "test_release/3/3_NM_6", ("23", "test", 0, "cut", {"device": "low"})),
        ("msu-mfsd", "scene01/real/real_client001_laptop_SD_scene01", ("001", "test", 1, "live", {"device": "laptop"})),
        (
            "msu-mfsd",
            "scene01/attack/attack_client055_android_SD_printed_photo_scene01",
            ("055", "train", 0, "print", {"device": "android", "session": "1"}),
        ),
        (
            "replay-attack",
            "devel/real/client003_session01_webcam_authenticate_adverse_2",
            ("003", "dev", 1, "live", {"device": "webcam", "condition": "adverse", "session": "1"}),
        ),
        (
            "replay-attack",
            "test/attack/fixed/attack_print_client009_session01_highdef_photo_controlled",
            ("009", "test", 0, "print", {"support": "fixed", "condition": "controlled"}),
        ),
        (
            "replay-attack",
            "train/attk/hand/attack_mobile_client110_session01_mobile_video_adverse",
            ("110", "train", 0, "replay/mobile", {"support": "hand", "medium": "video"}),
        ),
    ],
)
def test_a_name_says(word: str, path: str, facts: tuple[str, str, int, str, dict[str, str]]) -> None:
    recording = described(word, path)
    assert (recording.subject, recording.split, recording.label, recording.species) == facts[:4]
    assert facts[4].items() <= recording.factors.items()
    assert described(word, recording.name) == recording  # the official name says the same


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("oulu-npu", "Train_files/1_1_01_6"),
        ("oulu-npu", "Train_files/1_1_01_1_copy"),
        ("casia-fasd", "train_release/1/9"),
        ("casia-fasd", "train_release/1/HR_5"),
        ("msu-mfsd", "scene01/real/real_client004_laptop_SD_scene01"),  # there is no client 4
        ("msu-mfsd", "scene01/attack/attack_client001_laptop_SD_scene01"),
        ("replay-attack", "enroll/train/client001_session01_webcam_enroll_adverse"),
        ("replay-attack", "train/attack/attack_print_client001_session01_highdef_photo_adverse"),  # by hand or fixed?
    ],
)
def test_other_names_are_of_no_recording(word: str, path: str) -> None:
    assert find_reader(word).describe(path) is None


def test_no_name_is_of_two_data_sets() -> None:
    for word, other in itertools.permutations(NAMED, 2):
        assert not any(find_reader(other).describe(recording.name) for recording in official(word))


def test_replay_attack_has_every_attack_by_hand_and_fixed() -> None:
    attacks = [recording for recording in official("replay-attack") if recording.label is Label.SPOOF]
    stems = Counter(recording.name.rpartition("/")[2] for recording in attacks)
    assert set(stems.values()) == {2}
    per_client = Counter(recording.species for recording in attacks if recording.subject == "001")
    assert per_client == {"print": 4, "replay/mobile": 8, "replay/highdef": 8}


def test_enrolment_of_replay_attack_is_left_out_and_counted(tmp_path: Path) -> None:
    reading = read("replay-attack", build_tree("replay-attack", tmp_path, [official("replay-attack")[0].name]))
    assert len(reading.recordings) == 1
    assert reading.unknown == []
    assert reading.notes == ["6 files of other purposes (enrolment) were left out"]


def test_msu_follows_the_official_lists_and_not_the_swapped_ones(tmp_path: Path) -> None:
    root = build_tree("msu-mfsd", tmp_path / "msu")
    for split in ("train", "test"):
        listed = (root / f"{split}_sub_list.txt").read_text()
        assert not listed.endswith("\n")
        people = {int(recording.subject) for recording in read("msu-mfsd", root).recordings if recording.split == split}
        assert people == set(map(int, listed.split()))
    assert read("msu-mfsd", root).notes == []
    (root / "train_sub_list.txt").write_text((root / "test_sub_list.txt").read_text())
    for above in (root, root.parent):  # the lists are those beside the recordings
        (note,) = read("msu-mfsd", above).notes
        assert "train_sub_list.txt: differs from the official list, which is followed, in people 1, 2, 3, 5" in note


def test_five_clips_of_msu_are_stored_upside_down() -> None:
    turned = [recording.name for recording in official("msu-mfsd") if "quarter_turns" in recording.factors]
    assert turned == [f"real/real_client{client:03d}_android_SD_scene01" for client in (3, 5, 6, 7, 8)]


@pytest.mark.parametrize("protocol", PROTOCOLS[:-1], ids=lambda protocol: protocol.name)
def test_oulu_protocols_have_the_published_counts(protocol: object) -> None:
    counts = {
        "1": [(240, 960), (180, 720), (120, 480)],
        "2": [(360, 720), (270, 540), (360, 720)],
        "3": [(300, 1200), (225, 900), (60, 240)],
        "4": [(200, 400), (150, 300), (20, 40)],
    }[protocol.name[0]]  # type: ignore[attr-defined]
    used = Counter((each.split, each.label) for each in official("oulu-npu") if protocol.uses(each))  # type: ignore[attr-defined]
    for split, (live, spoof) in zip(("train", "dev", "test"), counts, strict=True):
        assert (used[split, Label.LIVE], used[split, Label.SPOOF]) == (live, spoof)


def test_oulu_lists_beside_the_data_are_compared(tmp_path: Path) -> None:
    names = [f"{split}_files/1_1_{users[0]:02d}_1" for split, users in OULU_USERS.items()]
    root = build_tree("oulu-npu", tmp_path / "oulu", names)
    write_oulu_lists(root)
    assert len(list((root / "Protocols").rglob("*.txt"))) == 3 * (1 + 1 + 6 + 6)
    assert read("oulu-npu", root).notes == []
    path = root / "Protocols/Protocol_4/Test_2.txt"
    path.write_text(path.read_text().replace("+1,2_3_36_1", "-1,2_3_36_1"))
    for above in (root, root.parent):
        (note,) = read("oulu-npu", above).notes
        assert "Test_2.txt: differs from the protocol's rule, which is followed, in 2" in note


def test_casia_test_people_may_be_numbered_21_to_50(tmp_path: Path) -> None:
    root = build_tree(
        "casia-fasd", tmp_path / "casia", ["train_release/1/1", "test_release/1/3", "test_release/30/HR_4"]
    )
    expected = [(each.name, each.subject) for each in read("casia-fasd", root).recordings]
    test = root / "test_release"
    for person in ("30", "1"):
        (test / person).rename(test / str(int(person) + 20))
    assert [(each.name, each.subject) for each in read("casia-fasd", root).recordings] == expected
    (test / "50").rename(test / "49")
    (test / "21").rename(test / "2")
    with pytest.raises(UserError, match=r"must be numbered 1 to 30, or all of them 21 to 50; here are both"):
        read("casia-fasd", root)


@pytest.mark.parametrize("word", NAMED)
def test_a_small_tree_is_read_and_its_gaps_are_told(word: str, tmp_path: Path) -> None:
    some = official(word)[:24]
    root = build_tree(word, tmp_path / "über" / "Größe", [recording.name for recording in some])
    reading = read(word, root)
    assert {recording.name for recording in reading.recordings} == {recording.name for recording in some}
    for recording in reading.recordings:
        assert recording.sources == (root / place(recording),)
        with av.open(str(recording.sources[0])) as container:
            assert len(list(container.decode(video=0))) == 3
    completeness = compare(find_reader(word), reading, shown=2)
    assert not completeness.complete
    total = len(official(word))
    missing = next(line for line in completeness.lines if line.startswith("missing"))
    assert missing.startswith(f"missing ({total - 24}): ")
    assert missing.endswith(f" and {total - 26} more")
    assert completeness.lines[-1].startswith("incomplete: 24 recordings of ")


@pytest.mark.slow
@pytest.mark.parametrize("word", NAMED)
def test_a_whole_tree_is_complete_and_each_gap_breaks_its_protocols_only(word: str, tmp_path: Path) -> None:
    root = build_tree(word, tmp_path / word)
    reading = read(word, root)
    assert [recording.name for recording in reading.recordings] == sorted(each.name for each in official(word))
    whole = compare(find_reader(word), reading)
    assert whole.complete, whole.lines
    reader = find_reader(word)
    assert f"protocols with all recordings: {', '.join(each.name for each in reader.protocols)}" in whole.lines
    lost = next(each for each in reading.recordings if each.species.startswith("print") and each.split == "test")
    lost.sources[0].unlink()
    link(reading.recordings[0].sources[0], root / "elsewhere" / "holiday.mp4")
    gap = compare(reader, read(word, root))
    assert not gap.complete
    assert f"missing (1): {lost.name}" in gap.lines
    assert f"not of {reader.title}, passed over (1): elsewhere/holiday.mp4" in gap.lines
    for protocol in reader.protocols:
        assert any(line.startswith(f"protocol {protocol.name}: test spoof") for line in gap.lines) == protocol.uses(
            lost
        )


@pytest.mark.parametrize(
    ("word", "path", "beside", "factor"),
    [
        ("oulu-npu", "Dev_files/6_3_21_1", "Dev_files/6_3_21_1.txt", ("eyes", "6_3_21_1.txt")),
        (
            "replay-attack",
            "devel/attack/hand/attack_print_client003_session01_highdef_photo_adverse",
            "face-locations/devel/attack/hand/attack_print_client003_session01_highdef_photo_adverse.face",
            (
                "boxes",
                "../../../face-locations/devel/attack/hand/attack_print_client003_session01_highdef_photo_adverse.face",
            ),
        ),
    ],
)
def test_eyes_and_boxes_beside_the_videos_are_given(
    word: str, path: str, beside: str, factor: tuple[str, str], tmp_path: Path
) -> None:
    root = build_tree(word, tmp_path, [path])
    (without,) = read(word, root).recordings
    assert factor[0] not in without.factors
    (root / beside).parent.mkdir(parents=True, exist_ok=True)
    (root / beside).write_text("0,10,20,30,40")
    (recording,) = read(word, root).recordings
    assert recording.factors[factor[0]] == factor[1]
    assert given_boxes(recording)(0, 100, 100) is not None


@pytest.mark.parametrize("frame", ["0001.png", "{stem}_1.png"])
@pytest.mark.parametrize(
    ("word", "path", "beside", "factor"),
    [
        ("oulu-npu", "Dev_files/6_3_21_1", "Dev_files/6_3_21_1.txt", "eyes"),
        (
            "replay-attack",
            "devel/attack/hand/attack_print_client003_session01_highdef_photo_adverse",
            "face-locations/devel/attack/hand/attack_print_client003_session01_highdef_photo_adverse.face",
            "boxes",
        ),
    ],
)
def test_eyes_and_boxes_are_those_of_extracted_frames_too(
    word: str, path: str, beside: str, factor: str, frame: str, tmp_path: Path
) -> None:
    image = tmp_path / path / frame.format(stem=Path(path).name)
    for each in (image, tmp_path / beside):
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text("0,10,20,30,40")
    (recording,) = read(word, tmp_path).recordings
    assert (image.parent / recording.factors[factor]).resolve() == tmp_path / beside
    assert given_boxes(recording)(0, 100, 100) is not None


def test_turning_extracted_frames_of_msu_is_told(tmp_path: Path) -> None:
    for client in (1, 3):
        frame = tmp_path / f"scene01/real/real_client{client:03d}_android_SD_scene01/1.png"
        frame.parent.mkdir(parents=True)
        frame.touch()
    (note,) = read("msu-mfsd", tmp_path).notes
    assert note.startswith(
        "1 recordings of extracted frames are turned by 180 degrees (real/real_client003_android_SD_scene01), since "
        "their videos are stored upside down"
    )


def test_oulu_protocols_are_those_of_the_evaluation() -> None:
    protocols = {protocol.name: protocol for protocol in PROTOCOLS}
    rows = pd.DataFrame(
        [
            {"domain": each.domain, "split": each.split, "species": each.species, **each.factors, "name": each.name}
            for each in official("oulu-npu")
        ]
    )
    for number in "1234":
        for fold, task in enumerate(named_protocols()[f"oulu_npu_{number}"].parsed(), 1):
            protocol = protocols[number if number in "12" else f"{number}_{fold}"]
            used = {each.name for each in official("oulu-npu") if protocol.uses(each)}
            sources = pd.concat([parse_slice(source).mask(rows) for source in task.sources], axis=1).any(axis=1)
            in_task = (sources & rows["split"].isin(["train", "dev"])) | (
                parse_slice(task.target).mask(rows) & (rows["split"] == "test")
            )
            assert set(rows.loc[in_task, "name"]) == used
