"""Layouts of folders that people have, and what is read out of them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.datasets.folder import FolderReading, read_folder


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def by_name(reading: FolderReading) -> dict[str, Recording]:
    names = [recording.name for recording in reading.recordings]
    assert len(set(names)) == len(names)
    return {recording.name: recording for recording in reading.recordings}


def test_photos_in_live_and_spoof_folders(tmp_path: Path) -> None:
    touch(tmp_path, "live/a.jpg", "Real/b.PNG", "spoof/c.webp", "print/d.jpeg", "attack/replay/e.jpg", "3D Mask/f.jpg")
    found = by_name(read_folder(tmp_path, domain="desk"))
    said = {name: (one.label, one.species, one.domain) for name, one in found.items()}
    assert said == {
        "live/a.jpg": (Label.LIVE, "live", "desk"),
        "Real/b.PNG": (Label.LIVE, "live", "desk"),
        "spoof/c.webp": (Label.SPOOF, "unknown", "desk"),
        "print/d.jpeg": (Label.SPOOF, "print", "desk"),
        "attack/replay/e.jpg": (Label.SPOOF, "replay", "desk"),
        "3D Mask/f.jpg": (Label.SPOOF, "mask", "desk"),
    }
    assert found["print/d.jpeg"].sources == (tmp_path / "print/d.jpeg",)
    assert found["print/d.jpeg"].planar
    assert not found["3D Mask/f.jpg"].planar
    assert not found["spoof/c.webp"].planar  # an unknown instrument may be a mask


def test_domain_split_and_subject_from_folders(tmp_path: Path) -> None:
    touch(tmp_path, "phone/train/live/anna/1.mp4", "phone/test/attack/video/bert/x.avi", "web cam/dev/live/anna/2.mov")
    found = by_name(read_folder(tmp_path))
    said = {name: (one.domain, one.split, one.subject, one.species) for name, one in found.items()}
    assert said == {
        "phone/train/live/anna/1.mp4": ("phone", "train", "anna", "live"),
        "phone/test/attack/video/bert/x.avi": ("phone", "test", "bert", "replay"),
        "web cam/dev/live/anna/2.mov": ("web cam", "dev", "anna", "live"),
    }


def test_photos_and_videos_are_nobodys_name(tmp_path: Path) -> None:
    touch(tmp_path, "live/photos/anna/a.jpg", "live/Videos/bert/b.mp4", "attack/photo/carl/c.jpg")
    found = by_name(read_folder(tmp_path, domain="desk"))
    assert [(one.subject, one.species) for one in found.values()] == [
        ("carl", "print"),
        ("bert", "live"),
        ("anna", "live"),
    ]
    touch(tmp_path / "unlabelled", "photos/anna/a.jpg", "photos/bert/b.jpg")
    assert {one.subject for one in read_folder(tmp_path / "unlabelled").recordings} == {"anna", "bert"}


def test_with_a_domain_given_other_folders_name_the_subject(tmp_path: Path) -> None:
    touch(tmp_path, "anna/live/1.jpg", "anna/print/2.jpg", "bert/live/1.jpg")
    assert {one.subject for one in read_folder(tmp_path, domain="desk").recordings} == {"anna", "bert"}
    assert {one.domain for one in read_folder(tmp_path).recordings} == {"anna", "bert"}


def test_keys_say_just_what_they_say(tmp_path: Path) -> None:
    touch(tmp_path, "domain=hall/subject=anna/label=0/species=puppet/split=val/1.jpg", "domain=hall/species=live/2.jpg")
    second, first = read_folder(tmp_path).recordings
    assert (first.domain, first.subject, first.label, first.species, first.split) == (
        "hall",
        "anna",
        Label.SPOOF,
        "puppet",
        "dev",
    )
    assert (second.label, second.species) == (Label.LIVE, "live")


def test_numbered_images_of_a_folder_are_one_recording(tmp_path: Path) -> None:
    touch(tmp_path, *(f"live/anna/frame_{number}.png" for number in (1, 2, 10, 9)))
    touch(tmp_path, *(f"print/bert/00{number}.jpg" for number in (2, 1, 3)))
    touch(tmp_path, "live/carl/holiday.jpg", "live/carl/beach.jpg", "live/001.jpg", "live/002.jpg")
    reading = read_folder(tmp_path, domain="desk")
    found = by_name(reading)
    assert set(found) == {
        "live/anna",
        "print/bert",
        "live/carl/holiday.jpg",
        "live/carl/beach.jpg",
        "live/001.jpg",
        "live/002.jpg",
    }
    assert [path.name for path in found["live/anna"].sources] == [
        "frame_1.png",
        "frame_2.png",
        "frame_9.png",
        "frame_10.png",
    ]
    assert found["live/anna"].subject == "anna"
    assert found["print/bert"].subject == "bert"
    assert any("2 folders of numbered images" in note for note in reading.notes)
    assert len(read_folder(tmp_path, domain="desk", images="photos").recordings) == 11
    assert "live/carl" in by_name(read_folder(tmp_path, domain="desk", images="frames"))


def test_hidden_and_other_files_are_passed_over_and_said(tmp_path: Path) -> None:
    touch(tmp_path, "live/a.jpg", "live/.hidden.jpg", ".cache/b.jpg", "__MACOSX/c.jpg", "live/notes.txt", "live/d.bmp")
    reading = read_folder(tmp_path, domain="desk")
    assert [one.name for one in reading.recordings] == ["live/a.jpg"]
    assert any("2 other files were passed over" in note and "1 .bmp" in note for note in reading.notes)


def test_linked_folders_are_read_and_keep_no_folder_from_its_own_name(tmp_path: Path) -> None:
    touch(tmp_path, "pool/photos/live/z/a.jpg", "elsewhere/b.jpg", "elsewhere/anna/c.jpg")
    root = tmp_path / "pool" / "photos"
    (root / "print").symlink_to(tmp_path / "elsewhere")
    (root / "a link").symlink_to(root / "live")  # before the folder in the order of names
    (root / "live" / "up").symlink_to(root)
    reading = read_folder(root, domain="desk")
    assert [one.name for one in reading.recordings] == ["live/z/a.jpg", "print/anna/c.jpg", "print/b.jpg"]
    again = sorted(note for note in reading.notes if "was passed over" in note)
    assert again == [
        f"{root / 'a link'}: is a folder that was read under another name, and was passed over",
        f"{root / 'live' / 'up'}: is a folder that was read under another name, and was passed over",
    ]


def test_a_folder_that_cannot_be_read_is_named(somebody_else: Callable[[], None], open_folder: Path) -> None:
    touch(open_folder, "live/a.jpg", "print/b.jpg")
    (open_folder / "print").chmod(0o000)
    somebody_else()
    with pytest.raises(UserError, match=r"print: cannot be read \(Permission denied\); mend the permissions"):
        read_folder(open_folder, domain="desk")


@pytest.mark.parametrize("name", ["manifest.parquet", "prepare.json", "simulation.json"])
def test_a_prepared_data_set_in_the_folder_is_passed_over(tmp_path: Path, name: str) -> None:
    """Its crops would otherwise come back as photos when a preparation into the same folder is repeated."""
    touch(tmp_path, "live/a.jpg", f"out/{name}", "out/faces/desk/a/0000.png")
    reading = read_folder(tmp_path, domain="desk")
    assert [one.name for one in reading.recordings] == ["live/a.jpg"]
    assert any("out: is a prepared data set" in note for note in reading.notes)


def test_photos_of_apple_phones_are_recordings_to_be_rejected_with_a_reason(tmp_path: Path) -> None:
    touch(tmp_path, "live/a.HEIC")
    assert [one.name for one in read_folder(tmp_path, domain="desk").recordings] == ["live/a.HEIC"]


def test_without_any_folder_everything_is_unlabelled_and_each_its_own_subject(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{letter}.jpg" for letter in "abcdef"))
    reading = read_folder(tmp_path)
    assert {one.label for one in reading.recordings} == {None}
    assert {one.species for one in reading.recordings} == {"unknown"}
    assert {one.domain for one in reading.recordings} == {tmp_path.name}
    assert len({one.subject for one in reading.recordings}) == 6
    assert any("6 of 6 recordings name no subject" in note and "intervals" in note for note in reading.notes)
    assert any("only unlabelled recordings: good for scoring" in note for note in reading.notes)


def test_one_class_only_is_good_for_scoring(tmp_path: Path) -> None:
    touch(tmp_path, "live/a.jpg", "live/b.jpg")
    notes = read_folder(tmp_path, domain="desk").notes
    assert any("domain 'desk' holds only live recordings: good for scoring, not for training" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("live/print/a.jpg", "live/print: two folders name a different label"),
        ("print/replay/a.jpg", "different species"),
        ("train/test/a.jpg", "different split"),
        ("label=alive/a.jpg", r"label 'alive' is not known; did you mean 'live'"),
        ("subjct=anna/a.jpg", "did you mean 'subject'"),
    ],
)
def test_contradictions_and_unknown_words_are_named(tmp_path: Path, name: str, message: str) -> None:
    touch(tmp_path, name)
    with pytest.raises(UserError, match=message):
        read_folder(tmp_path)


def test_an_empty_or_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no photo and no video"):
        read_folder(tmp_path)
    with pytest.raises(UserError, match="not a folder"):
        read_folder(tmp_path / "nowhere")


def test_drawn_splits_are_disjoint_proportional_and_repeatable(tmp_path: Path) -> None:
    for subject in range(40):
        touch(tmp_path, f"live/s{subject}/a.mp4", f"live/s{subject}/b.mp4", f"print/s{subject}/c.mp4")
    reading = read_folder(tmp_path, domain="desk")
    splits: dict[str, set[str]] = {}
    for one in reading.recordings:
        splits.setdefault(one.subject, set()).add(one.split)
    assert all(len(of_subject) == 1 for of_subject in splits.values())
    assert Counter(split for (split,) in splits.values()) == {"train": 28, "dev": 6, "test": 6}
    assert read_folder(tmp_path, domain="desk").recordings == reading.recordings
    assert read_folder(tmp_path, domain="desk", seed=1).recordings != reading.recordings
    touch(tmp_path, "live/s99/a.mp4")
    before = {one.name: one.split for one in reading.recordings}
    after = {one.name: one.split for one in read_folder(tmp_path, domain="desk").recordings}
    assert sum(before[name] != after[name] for name in before) <= 6  # at most the neighbours of two cuts move


def test_drawn_splits_hold_both_classes(tmp_path: Path) -> None:
    touch(tmp_path, *(f"live/{number}.mp4" for number in range(10)), *(f"print/{number}.mp4" for number in range(10)))
    counts = Counter((one.split, one.label) for one in read_folder(tmp_path, domain="desk").recordings)
    for label in Label:
        assert [counts[split, label] for split in ("train", "dev", "test")] == [7, 1, 2]


@pytest.mark.parametrize(("subjects", "expected"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (4, [2, 1, 1])])
def test_few_subjects(tmp_path: Path, subjects: int, expected: list[int]) -> None:
    touch(tmp_path, *(f"live/{number}.mp4" for number in range(subjects)))
    counts = Counter(one.split for one in read_folder(tmp_path, domain="desk").recordings)
    assert [counts["train"], counts["dev"], counts["test"]] == expected


def test_a_subject_in_two_named_splits_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/live/anna/1.mp4", "test/print/anna/2.mp4")
    with pytest.raises(UserError, match=r"subject 'anna' of domain 'desk' is in .* one split only"):
        read_folder(tmp_path, domain="desk")


def test_a_table_says_everything(tmp_path: Path) -> None:
    touch(tmp_path, "x/1.jpg", "x/2.jpg", "x/3.mp4", "y/f_1.png", "y/f_2.png", "y/f_10.png", "z.jpg")
    (tmp_path / "table.csv").write_text(
        "path,label,species,subject,domain,split,recording,box,light\n"
        "x/1.jpg,live,,anna,hall,train,burst,,dim\n"
        "x/2.jpg,live,,anna,hall,train,burst,,dim\n"
        "x/3.mp4,0,print,bert,hall,dev,,,bright\n"
        "y,,replay,carl,,,,,\n"
        "z.jpg,,,,,,,10 20 30 40,\n"
        "gone.jpg,real,,dora,hall,test,,,\n"
    )
    reading = read_folder(tmp_path, domain="desk", table=tmp_path / "table.csv")
    found = by_name(reading)
    assert set(found) == {"burst", "x/3.mp4", "y", "z.jpg", "gone.jpg"}
    burst = found["burst"]
    assert [path.name for path in burst.sources] == ["1.jpg", "2.jpg"]
    assert (burst.domain, burst.subject, burst.split, burst.label) == ("hall", "anna", "train", Label.LIVE)
    assert burst.factors == {"light": "dim"}
    assert (found["x/3.mp4"].label, found["x/3.mp4"].species) == (Label.SPOOF, "print")
    assert [path.name for path in found["y"].sources] == ["f_1.png", "f_2.png", "f_10.png"]
    assert (found["y"].domain, found["y"].label, found["y"].species) == ("desk", Label.SPOOF, "replay")
    assert found["z.jpg"].factors == {"box": "10 20 30 40"}
    assert (found["z.jpg"].label, found["z.jpg"].subject) == (None, "z.jpg")
    assert any("1 files named by" in note and "do not exist" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.jpg,live\n", r"column 'path' is missing"),
        ("path,label\na.jpg,alive\n", r"table.csv: line 2: label 'alive' is not known; did you mean 'live'"),
        ("path,split\na.jpg,live\n", r"line 2: split 'live' is not known"),
        ("path,label\n,live\n", r"line 2: column 'path' is empty"),
        ("path,label\na.jpg\n", r"line 2: has not as many cells"),
        ("path,label\na.jpg,live,more\n", r"line 2: has not as many cells"),
        ("path,label,species\na.jpg,live,print\n", r"species 'print' contradicts label 'live'"),
        ("path,label,species\na.jpg,spoof,live\n", r"species 'live' contradicts label 'spoof'"),
        ("path,path\na.jpg,b.jpg\n", r"twice in the header"),
        ("path,depth\na.jpg,b.jpg\n", r"column 'depth' is written by `dgfas prepare` itself"),
        ("path\na.jpg\na.jpg\n", r"line 3: recording 'a.jpg' was already described"),
        (
            "path,recording,label\na.jpg,r,live\nb.jpg,r,spoof\n",
            r"line 3: recording 'r' was already described otherwise; all its lines must say the same",
        ),
        ("path,recording,light\na.jpg,r,dim\nb.jpg,r,bright\n", r"line 3: recording 'r' was already described other"),
        ("path,recording,light\na.jpg,r,dim\nb.jpg,r,\n", r"line 3: recording 'r' was already described otherwise"),
        (
            "path,recording,box\na.jpg,r,1 2 3 4\nb.jpg,r,1 2 3 5\n",
            r"line 3: recording 'r' has another box already; put the boxes of its frames into a file .*column 'boxes'",
        ),
        (
            "path,quarter_turns\na.jpg,1.0\n",
            r"line 2: column 'quarter_turns': '1.0' is not a number of turns .*0, 1, 2",
        ),
        ("path,quarter_turns\na.jpg,90\n", r"line 2: column 'quarter_turns': '90' is not a number of turns by 90 deg"),
        ("path,box\na.jpg,nan nan nan nan\n", r"line 2: column 'box': 'nan nan nan nan' is not .left top right bottom"),
        ("path,box\na.jpg,0 0 inf 9\n", r"line 2: column 'box': '0 0 inf 9' is not"),
        ("path,box\na.jpg,9 0 1 9\n", r"line 2: column 'box': '9 0 1 9' is not"),
        ("path,box\na.jpg,1 2 3\n", r"line 2: column 'box': '1 2 3' is not"),
        ("path,box\na.jpg,1;2;3;4\n", r"line 2: column 'box': '1;2;3;4' is not"),
        ("path\n/a.jpg\n", r"line 2: column 'path': '/a.jpg' must lie below the folder"),
        ("path\n../a.jpg\n", r"line 2: column 'path': '../a.jpg' must lie below the folder"),
        ("path\n", r"holds no photo"),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path: Path, text: str, message: str) -> None:
    touch(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_folder(tmp_path, table=tmp_path / "table.csv")


def test_a_species_means_the_same_however_it_is_written(tmp_path: Path) -> None:
    names = ("Live", "real", "Bona Fide", "Print", "REPLAY", "Puppet", "poster")
    touch(tmp_path, *(f"photos/species={name}/a.jpg" for name in names), *(f"tabled/{name}.jpg" for name in names))
    table = tmp_path / "table.csv"
    table.write_text("path,species\n" + "".join(f"{name}.jpg,{name}\n" for name in names))
    for reading in (
        read_folder(tmp_path / "photos", domain="desk"),
        read_folder(tmp_path / "tabled", domain="desk", table=table),
    ):
        assert {(one.label, one.species, one.planar) for one in reading.recordings} == {
            (Label.LIVE, "live", False),
            (Label.SPOOF, "print", True),
            (Label.SPOOF, "replay", True),
            (Label.SPOOF, "Puppet", False),  # an own word stays as it is
            (Label.SPOOF, "poster", False),
        }
        assert Counter(one.species for one in reading.recordings)["live"] == 3


def test_a_name_in_other_splits_of_other_domains_is_said(tmp_path: Path) -> None:
    names = [f"{domain}/live/{number}/a.jpg" for domain in ("desk", "hall") for number in range(10)]
    touch(tmp_path, *names, "hall/live/alone/a.jpg")
    reading = read_folder(tmp_path)
    splits: dict[str, set[str]] = {}
    for one in reading.recordings:
        splits.setdefault(one.subject, set()).add(one.split)
    apart = sum(len(own) > 1 for own in splits.values())
    assert apart > 0
    assert [note for note in reading.notes if note.startswith(f"{apart} names are in several domains, in other splits")]
    touch(tmp_path / "one", "desk/live/anna/a.jpg", "desk/print/anna/b.jpg", "hall/live/bert/a.jpg")
    assert not any("several domains" in note for note in read_folder(tmp_path / "one").notes)


def test_a_missing_or_binary_table_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises(UserError, match=r"nowhere\.csv: cannot be read"):
        read_folder(tmp_path, table=tmp_path / "nowhere.csv")
    (tmp_path / "table.csv").write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(UserError, match="not a readable CSV file"):
        read_folder(tmp_path, table=tmp_path / "table.csv")
