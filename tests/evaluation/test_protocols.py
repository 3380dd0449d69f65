"""Protocols: their tasks, and the recordings that these take, counted against what the data sets' authors publish."""

import itertools
from pathlib import Path

import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.parts import PARTS, name_domains, split_task
from dgfas.evaluation.protocols import FAMILIES, named_protocols, resolve_protocol
from dgfas.evaluation.slices import LETTERS
from dgfas.evaluation.tasks import Task, parse_task
from dgfas.simulation.capture_domains import CAPTURE_DOMAINS, load_domain

FIELD = list(LETTERS.values())
SPECIES = {"1": "live", "2": "print/printer1", "3": "print/printer2", "4": "replay/display1", "5": "replay/display2"}


@pytest.fixture(scope="module")
def oulu_npu() -> pd.DataFrame:
    """A frame of each of OULU-NPU's 4950 videos, named as its reader names them."""
    users = {"train": range(1, 21), "dev": range(21, 36), "test": range(36, 56)}
    cells = [
        ("oulu_npu", f"{user:02d}", split, phone, session, SPECIES[file], f"{phone}_{session}_{user:02d}_{file}")
        for split, numbers in users.items()
        for user, phone, session, file in itertools.product(numbers, "123456", "123", SPECIES)
    ]
    table = pd.DataFrame(cells, columns=["domain", "subject", "split", "device", "session", "species", "recording"])
    return table.assign(frame=0, label=(table["species"] == "live").astype(int))


@pytest.mark.parametrize(
    ("name", "folds", "train", "dev", "test"),
    [
        ("oulu_npu_1", 1, (240, 960), (180, 720), (120, 480)),
        ("oulu_npu_2", 1, (360, 720), (270, 540), (360, 720)),
        ("oulu_npu_3", 6, (300, 1200), (225, 900), (60, 240)),
        ("oulu_npu_4", 6, (200, 400), (150, 300), (20, 40)),
    ],
)
def test_the_oulu_protocols_take_the_published_counts(oulu_npu, name: str, folds: int, train, dev, test) -> None:
    """Boulkenafet et al. 2017; (live, spoof) of training, development and test, alike in every fold."""
    tasks = resolve_protocol(name, ["oulu_npu"], oulu_npu)
    assert len({task.target for task in tasks}) == folds
    for task in tasks:
        named = name_domains(oulu_npu, task.sources, task.target, task.lists)
        split = split_task(named, task.sources, task.target, task.lists)
        labels = [oulu_npu.loc[split.index(part), "label"] for part in PARTS]
        assert [(int((each == 1).sum()), int((each == 0).sum())) for each in labels] == [train, dev, test]
        people = [set(oulu_npu.loc[split.index(part), "subject"]) for part in PARTS]
        assert not any(one & other for one, other in itertools.combinations(people, 2))
        phones = [set(oulu_npu.loc[split.index(part), "device"]) for part in ("train", "target")]
        assert not phones[0] & phones[1] or name in ("oulu_npu_1", "oulu_npu_2")


def test_the_protocols_of_the_field_are_printed_as_the_papers_print_them() -> None:
    tasks = resolve_protocol("ocim", FIELD)
    assert [str(task) for task in tasks] == ["O&C&I to M", "O&M&I to C", "O&C&M to I", "I&C&M to O"]
    assert [str(task) for task in resolve_protocol("limited", FIELD)] == ["M&I to C", "M&I to O"]
    assert {task.lists for task in tasks} == {"ssdg"}
    official = resolve_protocol("ocim", FIELD, lists="official")
    assert str(official[0]) == "O&C&I to M (official)"


def test_every_named_protocol_reads_back_from_its_print() -> None:
    for name, protocol in named_protocols().items():
        for task in protocol.parsed():
            assert parse_task(str(task)) == task, name
            assert len(task.file_name) <= 120


def test_the_simulated_cameras_are_those_of_the_domain() -> None:
    cameras = {camera.name for camera in load_domain("phone").cameras}
    tasks = resolve_protocol("simulated-cameras", CAPTURE_DOMAINS)
    assert {task.target for task in tasks} == {f"phone[camera={camera}]" for camera in cameras}
    assert all(len(task.sources) == len(cameras) - 1 for task in tasks)
    assert resolve_protocol("simulated", CAPTURE_DOMAINS) == resolve_protocol("leave-one-out", CAPTURE_DOMAINS)


@pytest.fixture
def frames() -> pd.DataFrame:
    cells = [("desk", "x"), ("phone", "b"), ("phone", "a"), ("phone", "c")]
    table = pd.DataFrame(cells, columns=["domain", "factor_camera"])
    return table.assign(recording=table.index.astype(str), split="train")


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("desk&phone to hall", ["desk&phone to hall"]),
        ("leave-one-out", ["phone&hall to desk", "desk&hall to phone", "desk&phone to hall"]),
        ("leave-one-out:hall,desk", ["desk to hall", "hall to desk"]),
        ("single-source:desk,hall", ["desk to hall", "hall to desk"]),
        ("intra:desk", ["desk to desk (official)"]),
        (
            "leave-one-out:phone[camera]",
            [
                "phone[camera=b&c] to phone[camera=a] (official)",
                "phone[camera=a&c] to phone[camera=b] (official)",
                "phone[camera=a&b] to phone[camera=c] (official)",
            ],
        ),
    ],
)
def test_protocols_are_made_for_the_domains_at_hand(frames: pd.DataFrame, name: str, tasks: list[str]) -> None:
    frames = pd.concat(
        [frames, pd.DataFrame({"domain": ["hall"], "recording": ["h"], "split": ["train"]})], ignore_index=True
    )
    assert [str(task) for task in resolve_protocol(name, ["desk", "phone", "hall"], frames)] == tasks


def test_a_protocol_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("about: mine\nlists: everything\ntasks: [desk to phone, phone to phone (official)]\n")
    assert resolve_protocol(str(path), ["desk", "phone"]) == [
        Task(("desk",), "phone", "everything"),
        Task(("phone",), "phone", "official"),
    ]
    path.write_text("about: mine\ntask: [desk to phone]\n")
    with pytest.raises(UserError, match=r"mine\.yaml"):
        resolve_protocol(str(path), ["desk", "phone"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ocim", r"'oulu_npu' \(printed O\) is not prepared; the data hold desk, phone; prepare it"),
        ("desk to hall", "data set 'hall' is not prepared"),
        ("ocin", r"unknown protocol 'ocin'; did you mean 'ocim'"),
        ("phone[camera=a] to phone[camera=z] (official)", "no recording of 'phone' has 'z' in column 'camera'"),
        ("leave-one-out:hall[camera]", "data set 'hall' is not prepared"),
        ("leave-one-out:phone[camra]", "has no column 'camra'"),
        ("leave-one-out:desk", "needs two domains or more; given: desk"),
        ("single-source:desk", "needs two domains or more; given: desk"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(frames: pd.DataFrame, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        resolve_protocol(name, ["desk", "phone"], frames)


def test_the_documentation_names_every_protocol() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text(encoding="utf-8")
    for name in [*named_protocols(), *FAMILIES]:
        assert f"| `{name}` |" in page
