"""The division of recordings into training, source validation and target."""

import itertools

import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.parts import count_recordings, name_domains, split_task

SUBJECTS = {"train": 8, "dev": 4, "test": 6}


def manifest(domains: dict[str, dict[str, int]], frames_each: int = 2) -> pd.DataFrame:
    """Make two recordings (live, print) of `frames_each` frames for every subject of every split."""
    rows = []
    for domain, sizes in domains.items():
        for split, size in sizes.items():
            for number, (species, label) in itertools.product(range(size), [("live", 1), ("print", 0)]):
                cells = {"domain": domain, "subject": f"{split}{number}", "split": split, "species": species}
                recording = f"{split}{number}_{species}"
                rows += [{**cells, "label": label, "recording": recording, "frame": i} for i in range(frames_each)]
    return pd.DataFrame(rows)


@pytest.fixture
def frames() -> pd.DataFrame:
    return manifest({"desk": SUBJECTS, "hall": {"train": 12, "test": 8}, "phone": SUBJECTS})


def test_ssdg_leaves_dev_out_of_both_sides(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk"], "phone", "ssdg")
    assert set(frames.loc[split.train, "split"]) == {"train", "test"}
    assert set(frames.loc[split.validation, "split"]) == {"dev"}
    assert set(frames.loc[split.target, "split"]) == {"train", "test"}
    assert set(frames.loc[split.target, "domain"]) == {"phone"}
    assert len(split.train) == (8 + 6) * 4
    assert len(split.validation) == 4 * 4


def test_official_trains_on_train_and_measures_test(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk"], "phone", "official")
    assert set(frames.loc[split.train, "split"]) == {"train"}
    assert set(frames.loc[split.validation, "split"]) == {"dev"}
    assert set(frames.loc[split.target, "split"]) == {"test"}


def test_everything_takes_all_and_holds_out_subjects(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk"], "phone", "everything")
    assert len(split.target) == 18 * 4
    assert len(split.train) + len(split.validation) == 18 * 4
    assert frames.loc[split.validation, "subject"].nunique() == round(0.15 * 18)


@pytest.mark.parametrize("lists", ["ssdg", "official", "everything"])
def test_no_subject_is_shared_and_no_frame_is_used_twice(frames: pd.DataFrame, lists: str) -> None:
    split = split_task(frames, ["desk", "hall"], "phone", lists)  # type: ignore[arg-type]
    people = [
        set(zip(part["domain"], part["subject"], strict=True))
        for part in map(frames.loc.__getitem__, [split.train, split.validation, split.target])
    ]
    for one, other in itertools.combinations(people, 2):
        assert not one & other
    assert not split.train.intersection(split.validation).size


def test_a_source_without_dev_gives_fifteen_percent_of_its_subjects(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk", "hall"], "phone", "ssdg")
    validation = frames.loc[split.validation]
    assert validation.loc[validation["domain"] == "hall", "subject"].nunique() == 3  # of 20
    assert set(validation.loc[validation["domain"] == "desk", "split"]) == {"dev"}
    train = frames.loc[split.train]
    assert train.loc[train["domain"] == "hall", "subject"].nunique() == 17


def test_held_out_subjects_depend_on_names_alone(frames: pd.DataFrame) -> None:
    reference = split_task(frames, ["hall"], "phone", "ssdg").validation
    shuffled = split_task(frames.sample(frac=1, random_state=1), ["hall"], "phone", "ssdg").validation
    assert set(reference) == set(shuffled)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("first", range(8))
def test_held_out_subjects_hold_both_classes(first: int, label: int) -> None:
    """Only two of ten subjects have frames of a class, wherever these two are in the order of hashes."""
    frames = manifest({"desk": {"train": 10}, "phone": {"test": 1}})
    having = [f"train{first}", f"train{first + 2}"]
    gone = frames["domain"].eq("desk") & frames["label"].eq(label) & ~frames["subject"].isin(having)
    split = split_task(frames[~gone], ["desk"], "phone", "ssdg")
    for part in (split.train, split.validation):
        assert set(frames.loc[part, "label"]) == {0, 1}
    assert not set(frames.loc[split.train, "subject"]) & set(frames.loc[split.validation, "subject"])


def test_one_subject_cannot_train_and_validate() -> None:
    frames = manifest({"desk": {"train": 1}, "phone": {"test": 1}})
    with pytest.raises(UserError, match="domain 'desk' has no spoof frames in part 'validation'"):
        split_task(frames, ["desk"], "phone", "ssdg")


@pytest.mark.parametrize(
    ("domain", "split_name", "label", "part", "word"),
    [
        ("desk", "train", 1, "train", "live"),
        ("desk", "dev", 0, "validation", "spoof"),
        ("phone", "test", 1, "target", "live"),
    ],
)
def test_an_empty_class_is_named(
    frames: pd.DataFrame, domain: str, split_name: str, label: int, part: str, word: str
) -> None:
    gone = (frames["domain"] == domain) & (frames["split"] == split_name) & (frames["label"] == label)
    with pytest.raises(UserError, match=f"domain '{domain}' has no {word} frames in part '{part}'"):
        split_task(frames[~gone], ["desk"], "phone", "official")


def test_wrong_names_are_refused(frames: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"unknown domain 'dsek'; did you mean 'desk'\?"):
        split_task(frames, ["dsek"], "phone", "ssdg")
    with pytest.raises(UserError, match="also a source"):
        split_task(frames, ["desk", "phone"], "phone", "ssdg")
    with pytest.raises(UserError, match="unknown lists 'sdg'"):
        split_task(frames, ["desk"], "phone", "sdg")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="each once"):
        split_task(frames, ["desk", "desk"], None, "ssdg")
    with pytest.raises(ValueError, match="not unique"):
        split_task(pd.concat([frames, frames]), ["desk"], "phone", "ssdg")


def test_without_a_target_everything_else_is_the_same(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk", "hall"], None, "ssdg")
    assert split.target.empty
    assert split.train.equals(split_task(frames, ["desk", "hall"], "phone", "ssdg").train)


def test_unlabelled_frames_take_no_part(frames: pd.DataFrame) -> None:
    frames["label"] = frames["label"].astype("Int64")
    frames.loc[0, "label"] = pd.NA
    assert 0 not in split_task(frames, ["desk"], "phone", "everything").train


def test_rejected_recordings_go_to_the_part_of_their_split_and_subject(frames: pd.DataFrame) -> None:
    held_out = sorted(set(frames.loc[split_task(frames, ["hall"], "phone", "ssdg").validation, "subject"]))
    kept = sorted(set(frames.loc[frames["domain"] == "hall", "subject"]) - set(held_out))
    rows = [
        ("hall", held_out[0], "x1", "train"),
        ("hall", kept[0], "x2", "train"),
        ("phone", "test0", "x3", "test"),
        ("phone", "dev0", "x4", "dev"),
        ("desk", "dev0", "x5", "dev"),
    ]
    rejected = pd.DataFrame(rows, columns=["domain", "subject", "recording", "split"]).assign(label=1, species="live")
    split = split_task(frames, ["hall"], "phone", "ssdg", rejected)
    assert {part: table["recording"].tolist() for part, table in split.rejected.items()} == {
        "train": ["x2"],
        "validation": ["x1"],
        "target": ["x3"],
    }


def test_recordings_are_counted_by_part_and_class(frames: pd.DataFrame) -> None:
    counts = count_recordings(frames, split_task(frames, ["desk"], "phone", "official"))
    assert list(counts.itertuples(index=False, name=None)) == [
        ("train", "desk", "spoof", 8),
        ("train", "desk", "live", 8),
        ("validation", "desk", "spoof", 4),
        ("validation", "desk", "live", 4),
        ("target", "phone", "spoof", 6),
        ("target", "phone", "live", 6),
    ]


@pytest.fixture
def cameras() -> pd.DataFrame:
    """One data set, every subject filmed by three cameras."""
    one = manifest({"phone": {"train": 8, "dev": 4, "test": 6}})
    each = [one.assign(camera=name, recording=one["recording"] + name) for name in "abc"]
    return pd.concat(each, ignore_index=True)


def test_a_left_out_camera_shares_no_subject_with_the_sources(cameras: pd.DataFrame) -> None:
    names = ["phone[camera=a]", "phone[camera=b]", "phone[camera=c]"]
    named = name_domains(cameras, names[:2], names[2], "official")
    split = split_task(named, names[:2], names[2], "official")
    assert len(split.train) == 8 * 2 * 4
    assert len(split.validation) == 4 * 2 * 4
    assert len(split.target) == 6 * 4
    for part, cells, word in (
        (split.train, "ab", "train"),
        (split.validation, "ab", "dev"),
        (split.target, "c", "test"),
    ):
        assert set(cameras.loc[part, "camera"]) == set(cells)
        assert set(cameras.loc[part, "split"]) == {word}


@pytest.mark.parametrize("lists", ["ssdg", "everything"])
def test_lists_that_share_subjects_are_refused_inside_one_data_set(cameras: pd.DataFrame, lists: str) -> None:
    names = ["phone[camera=a]", "phone[camera=c]"]
    with pytest.raises(UserError, match=r"of 'phone' would be in more than one .* needs the official lists"):
        split_task(name_domains(cameras, names[:1], names[1], lists), names[:1], names[1], lists)  # type: ignore[arg-type]


def test_slices_of_one_data_set_hold_out_the_same_subjects(cameras: pd.DataFrame) -> None:
    """Without a split for validation, nobody may train before one camera and validate before another."""
    cameras = cameras[cameras["split"] != "dev"].reset_index(drop=True)
    names = ["phone[camera=a]", "phone[camera=b]"]
    split = split_task(name_domains(cameras, names, None, "ssdg"), names, None, "ssdg")
    validating = set(cameras.loc[split.validation, "subject"])
    assert len(validating) == round(0.15 * 14)
    assert not validating & set(cameras.loc[split.train, "subject"])
    assert set(cameras.loc[split.validation, "camera"]) == {"a", "b"}
    plain = split_task(cameras, ["phone"], None, "ssdg")
    assert set(cameras.loc[plain.validation, "subject"]) == validating


def test_one_domain_can_be_divided_by_the_official_lists(frames: pd.DataFrame) -> None:
    split = split_task(frames, ["desk"], "desk", "official")
    assert [set(frames.loc[split.index(part), "split"]) for part in ("train", "validation", "target")] == [
        {"train"},
        {"dev"},
        {"test"},
    ]


def test_what_source_and_target_share_goes_by_the_split(cameras: pd.DataFrame) -> None:
    """OULU-NPU's protocol 2: live recordings of all subjects fit both sides, and the lists divide the subjects."""
    sources, target = ["phone[species=live+print]"], "phone[species=live]"
    named = name_domains(cameras, sources, target, "official")
    assert set(cameras.loc[named["domain"] == target, "split"]) == {"test"}
    assert set(cameras.loc[named["domain"] == target, "species"]) == {"live"}
    trains = named["domain"] == sources[0]
    assert set(cameras.loc[trains & (cameras["species"] == "live"), "split"]) == {"train", "dev"}
    with pytest.raises(UserError, match="shares recordings with a source"):
        name_domains(cameras, sources, target, "ssdg")
