"""How tasks and the domains in them are written and read."""

import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.parts import name_domains
from dgfas.evaluation.protocols import leave_one_out
from dgfas.evaluation.slices import data_set_of, parse_slices, written
from dgfas.evaluation.tasks import LONGEST_FILE_NAME, Task, parse_task


def test_a_task_reads_as_it_is_written() -> None:
    task = parse_task("desk&webcam&laptop to phone")
    assert task == Task(("desk", "webcam", "laptop"), "phone")
    assert str(task) == "desk&webcam&laptop to phone"
    assert parse_task(" a & b  to c ") == Task(("a", "b"), "c")


@pytest.mark.parametrize(
    "text", ["desk phone", "to phone", " to phone", "desk to ", "a&&b to c", "", "a&b to b", "a&a to b"]
)
def test_malformed_tasks_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="task"):
        parse_task(text)


def test_leave_one_out_names_every_domain_once() -> None:
    tasks = leave_one_out(["O", "C", "I", "M"])
    assert [str(task) for task in tasks] == ["C&I&M to O", "O&I&M to C", "O&C&M to I", "O&C&I to M"]
    with pytest.raises(UserError, match="two domains"):
        leave_one_out(["O"])


def test_slices_read_as_they_are_written() -> None:
    task = parse_task("phone[camera=a&b&c;session=1+2] & desk to phone[ camera = d ] (official)")
    assert task.sources == (*(f"phone[camera={name};session=1+2]" for name in "abc"), "desk")
    assert (task.target, task.lists) == ("phone[camera=d]", "official")
    assert str(task) == "phone[camera=a&b&c;session=1+2]&desk to phone[camera=d] (official)"
    assert parse_task(str(task)) == task


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["p[x=1]", "p[x=2]", "q", "p[x=3]"], "p[x=1&2]&q&p[x=3]"),
        (["p[x=1;y=1]", "p[x=2;y=1]", "p[x=2;y=2]"], "p[x=1&2;y=1]&p[x=2;y=2]"),  # they differ in another column
        (["p[x=1]", "p[y=1]"], "p[x=1]&p[y=1]"),
        (["p[x=1+2]", "p[x=3]"], "p[x=1+2&3]"),
    ],
)
def test_neighbours_share_brackets_only_where_they_can(names: list[str], text: str) -> None:
    assert written(names) == text
    assert [str(each) for part in [f"{text} to t"] for each in parse_task(part).sources] == names


@pytest.mark.parametrize(
    "text",
    ["phone[]", "phone[camera]", "phone[camera=]", "phone[=a]", "phone[camera=a", "[camera=a]", "p[a=b=c]"],
)
def test_malformed_slices_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="write a domain as NAME"):
        parse_slices(text)
    with pytest.raises(UserError, match="task"):
        parse_task(f"{text} to desk")


def test_a_target_is_one_domain_and_may_train_with_the_official_lists_only() -> None:
    with pytest.raises(UserError, match="is 2 domains"):
        parse_task("desk to phone[camera=a&b]")
    assert str(parse_task("phone to phone (official)")) == "phone to phone (official)"
    with pytest.raises(UserError, match="also a source"):
        parse_task("phone to phone (everything)")


def test_a_long_task_has_a_short_file_name_of_its_own() -> None:
    assert parse_task("desk&webcam to phone").file_name == "desk&webcam-to-phone"
    tasks = [parse_task(f"p[species=print/{'x' * 200}] to q{end}") for end in "12"]
    names = {task.file_name for task in tasks}
    assert len(names) == 2
    assert all(len(name) == LONGEST_FILE_NAME and "/" not in name for name in names)


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "domain": ["oulu_npu"] * 4 + ["desk"],
            "recording": list("abcde"),
            "split": "train",
            "device": ["1", "1", "2", "3", None],
            "factor_camera": [1, 2, 2, 2, float("nan")],
        }
    )


def test_rows_get_the_name_under_which_the_task_knows_them(rows: pd.DataFrame) -> None:
    named = name_domains(rows, ["O[device=1;camera=2]"], "O[device=2+3]", "ssdg")
    assert named["domain"].tolist() == ["oulu_npu", "O[device=1;camera=2]", "O[device=2+3]", "O[device=2+3]", "desk"]
    assert rows["domain"].tolist() == ["oulu_npu"] * 4 + ["desk"]
    assert {data_set_of(name) for name in named["domain"]} == {"oulu_npu", "desk"}


def test_a_data_set_that_is_called_like_a_letter_is_itself(rows: pd.DataFrame) -> None:
    assert name_domains(rows, ["O"], None, "ssdg")["domain"].tolist() == ["O"] * 4 + ["desk"]
    rows.loc[4, "domain"] = "O"
    assert name_domains(rows, ["O"], None, "ssdg")["domain"].tolist() == ["oulu_npu"] * 4 + ["O"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("oulu_npu[device=4]", "no recording of 'oulu_npu' has '4' in column 'device'; valid: 1, 2, 3"),
        ("oulu_npu[devise=1]", r"no column 'devise'; did you mean 'device'\?"),
        ("desk[device=1]", "data set 'desk' has no column 'device'"),
    ],
)
def test_a_slice_that_is_not_there_is_named(rows: pd.DataFrame, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        name_domains(rows, [name], None, "ssdg")


def test_overlapping_sources_are_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="shares recordings"):
        name_domains(rows, ["oulu_npu[device=1]", "oulu_npu[camera=2]"], None, "ssdg")
