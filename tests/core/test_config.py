"""Settings: what is refused, and in which words; merging; `--set`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dgfas.core.config import (
    DataConfig,
    NetworkConfig,
    RunConfig,
    TrainingConfig,
    merge,
    parse_assignments,
    read_yaml,
    setting_values,
    validated,
)
from dgfas.core.errors import UserError

RUN: dict[str, Any] = {
    "method": "rfm",
    "data": {"roots": ["prepared"], "sources": ["desk", "hall"], "target": "phone"},
    "network": {"image_size": 64, "width": 0.25},
    "training": {"iterations": 10, "batch_per_class": 2},
}


def test_a_run_is_read_from_plain_values() -> None:
    run = validated(RunConfig, RUN, "run.yaml")
    assert run.data.roots == (Path.cwd() / "prepared",)  # also after a change of folder
    own = validated(RunConfig, {**RUN, "method": "mine/own.py"}, "run.yaml")
    assert own.method == str(Path.cwd() / "mine" / "own.py")
    assert run.network.stem_stride == 1
    assert run.domains == {"provider": "given"}
    assert run.training.bn_batches == "per_domain"


MISTAKES = {
    "network.widht=0.5": r"run.yaml: unknown key 'network.widht'; did you mean 'width'\?",
    "netwrok.width=0.5": r"run.yaml: unknown key 'netwrok'; did you mean 'network'\?",
    "training.qqq=1": r"run.yaml: unknown key 'training.qqq'; valid: .*iterations",
    "network.image_size=100": r"run.yaml: network.image_size: image side 100 is not divisible by 8; use 96",
    "network.image_size=24": r"run.yaml: network.image_size: .*32 \(given: 24\)",
    "network.width=1.5": r"run.yaml: network.width: .*less than or equal to 1 \(given: 1.5\)",
    "network.stem_stride=4": r"run.yaml: network.stem_stride: .*1 or 2 \(given: 4\)",
    "data.target=desk": r"run.yaml: data: target domain 'desk' is also a source; a target must be unseen",
    "data.sources=[desk, desk]": r"run.yaml: data: sources \['desk', 'desk'\] name a domain twice",
    "data.roots=[]": r"run.yaml: data.roots: name the folder of a prepared data set",
    "training.iterations=many": r"run.yaml: training.iterations: .*integer.*\(given: 'many'\)",
    "training.iterations=0": r"run.yaml: training.iterations: .*greater than or equal to 1",
    "network=3": r"run.yaml: network: must hold keys and values, not 3",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_key_and_remedy(mistake: str) -> None:
    with pytest.raises(UserError, match=MISTAKES[mistake]):
        validated(RunConfig, merge(RUN, parse_assignments([mistake])), "run.yaml")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UserError, match=r"run.yaml: key 'network.width' is missing"):
        validated(RunConfig, RUN | {"network": {"image_size": 64}}, "run.yaml")
    with pytest.raises(UserError, match=r"run.yaml: key 'method' is missing"):
        validated(RunConfig, {key: value for key, value in RUN.items() if key != "method"}, "run.yaml")


def test_keys_that_are_no_words_are_refused() -> None:
    with pytest.raises(UserError, match=r"run.yaml: .*1"):
        validated(RunConfig, RUN | {1: 2}, "run.yaml")
    with pytest.raises(UserError, match=r"run.yaml: .*network.*1"):
        validated(RunConfig, RUN | {"network": RUN["network"] | {1: 2}}, "run.yaml")


@pytest.mark.parametrize("side", [32, 40, 256])
def test_sides_divisible_by_8_from_32_are_valid(side: int) -> None:
    assert NetworkConfig(image_size=side, width=1).image_size == side


@pytest.mark.parametrize(("side", "near"), [(33, 32), (36, 32), (38, 40), (255, 256)])
def test_the_nearest_valid_side_is_proposed(side: int, near: int) -> None:
    with pytest.raises(UserError, match=f"{side} is not divisible by 8; use {near}$"):
        validated(NetworkConfig, {"image_size": side, "width": 1}, "network")


def test_a_target_may_be_absent_and_values_do_not_change() -> None:
    data = DataConfig(roots=("a",), sources=("desk",))
    assert data.target is None
    with pytest.raises(ValueError, match="frozen"):
        data.target = "desk"


@pytest.mark.parametrize("name", ["full", "small"])
def test_both_settings_are_valid_and_say_where_each_value_is_from(name: str) -> None:
    values = setting_values(name)
    NetworkConfig(**values["network"])
    TrainingConfig(**values["training"])
    assert values.keys() == {"network", "training"}
    path = Path(setting_values.__code__.co_filename).parent / "settings" / f"{name}.yaml"
    for line in path.read_text().splitlines():
        assert not line.startswith("  ") or "# " in line, line


def test_an_unknown_setting_gives_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown setting 'smal'; did you mean 'small'\?"):
        setting_values("smal")


def test_assignments_become_a_tree_and_values_are_yaml() -> None:
    tree = parse_assignments(
        ["training.seed=3", "options.order=first", "data.sources=[a, b]", "training.flip=false", "a=x=y", "b="]
    )
    assert tree == {
        "training": {"seed": 3, "flip": False},
        "options": {"order": "first"},
        "data": {"sources": ["a", "b"]},
        "a": "x=y",
        "b": None,
    }


def test_a_later_assignment_wins() -> None:
    assert parse_assignments(["a.b=1", "a.b=2"]) == {"a": {"b": 2}}


@pytest.mark.parametrize("text", ["training.seed", "=3", "training.=3", ".seed=3", "a..b=3"])
def test_an_assignment_needs_key_and_value(text: str) -> None:
    with pytest.raises(UserError, match=r"--set .*write it as key.subkey=value"):
        parse_assignments([text])


@pytest.mark.parametrize("value", ["[1", "2024-13-45"])
def test_an_assignment_needs_a_readable_value(value: str) -> None:
    with pytest.raises(UserError, match=rf"--set 'a={re.escape(value)}': the value is not valid YAML"):
        parse_assignments([f"a={value}"])


def test_merging_replaces_leaves_and_leaves_the_rest() -> None:
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2]}
    assert merge(base, {"a": {"c": {"d": 3}, "f": 4}, "e": [5]}) == {"a": {"b": 1, "c": {"d": 3}, "f": 4}, "e": [5]}
    assert merge(base, {"a": 7}) == {"a": 7, "e": [1, 2]}
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2]}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a: [1", r"run.yaml: not valid YAML \(.*line 1"),
        (b"\xff\xfe\x00", r"run.yaml: not valid YAML"),
        (b"a: 2024-13-45", r"run.yaml: not valid YAML \(month must be"),
        (b"- 1\n- 2", r"run.yaml: must hold keys and values"),
        (b"", r"run.yaml: must hold keys and values"),
    ],
)
def test_an_unreadable_file_is_named(content: bytes, fault: str, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(UserError, match=fault):
        read_yaml(tmp_path / "run.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run.yaml: cannot be read \(No such file"):
        read_yaml(tmp_path / "run.yaml")
