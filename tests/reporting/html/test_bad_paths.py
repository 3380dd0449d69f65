"""Paths that cannot be reported: one line each, that names the file and the remedy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from results_on_disk import MANY, benchmark, evaluation, run, write

from dgfas.core.errors import UserError
from dgfas.reporting.html import write_report
from dgfas.reporting.html.groups import grouped
from dgfas.reporting.html.measured import read_measured
from dgfas.reporting.html.origin import commands

MISSING = object()


def refusal(*paths: Path) -> str:
    with pytest.raises(UserError) as caught:
        write_report(paths, paths[0].parent / "never.html")
    assert not (paths[0].parent / "never.html").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_to_report(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "scores.csv").write_text("domain\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("method: rfm\n")
    assert "does not exist" in refusal(tmp_path / "absent")
    assert f"{tmp_path}/empty: holds no results" in refusal(tmp_path / "empty")
    assert "measure them by `dgfas evaluate --scores`" in refusal(tmp_path / "scores.csv")
    assert f"`dgfas evaluate {tmp_path}/run`" in refusal(tmp_path / "run")


def without_oracle(content: dict[str, Any]) -> None:
    content["results"] = content["results"][:2]


def with_a_word_for_a_number(content: dict[str, Any]) -> None:
    content["results"][1]["hter"] = "high"


def with_a_share_that_is_no_number(content: dict[str, Any]) -> None:
    content["results"][0]["bpcer"]["share"] = float("nan")


def without_results(content: dict[str, Any]) -> None:
    del content["results"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_oracle, "lacks a track or level"),
        (with_a_word_for_a_number, "results.1.hter"),
        (with_a_share_that_is_no_number, "results.0.bpcer.share"),
        (without_results, "is damaged; it must hold title, about, results"),
    ],
)
def test_damaged_files(tmp_path: Path, spoil: Callable[[dict[str, Any]], None], message: str) -> None:
    content = evaluation(MANY)
    spoil(content)
    write(tmp_path / "result.json", content)
    said = refusal(tmp_path / "result.json")
    assert said.startswith(f"{tmp_path}/result.json: ")
    assert message in said


@pytest.fixture(scope="module")
def sound() -> str:
    """The content of a good result file."""
    return json.dumps(evaluation(MANY))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("about", "text", "about: must hold keys and values, not 'text'"),
        ("about.config", "text", "about.config: must hold keys and values, not 'text'"),
        ("about.config.method", MISSING, "key 'about.config.method' is missing"),
        ("about.config.training.seed", "one", "about.config.training.seed: .*'one'"),
        ("about.config.data.lists", "sdg", "about.config.data.lists: .*'ssdg'.*'sdg'"),
        ("about.uses_target_images", MISSING, "key 'about.uses_target_images' is missing"),
        ("about.task", "desk", "about.task: task 'desk': write it as source&source to target"),
        ("about.files", {}, "about.files: .*at least 1"),
        ("about.files", "scores.csv", "about.files: must hold keys and values, not 'scores.csv'"),
        ("about.data_sets", 3, "about.data_sets: must hold keys and values, not 3"),
        ("about.recordings", [{"part": "x"}], "about.recordings.0.part: .*'x'"),
        ("about.weights", ["a"], "about.weights: must hold keys and values"),
        ("job", {"task": "desk to phone"}, "key 'job.entry' is missing"),
        ("made_by", {"seconds": "long"}, "made_by.seconds: .*'long'"),
        ("results.1.hter", 2.5, "results.1.hter: .*2.5"),
        ("results.1.hter", "0.5", "results.1.hter: .*'0.5'"),
        ("results.1.bootstrap.auc", [0.5, 2.5], "results.1.bootstrap.auc.1: .*2.5"),
        ("results.1.bpcer.total", 0, "results.1.bpcer.total: .*0"),
        ("results.1.bpcer.errors", 151, "results.1.bpcer: 151 errors of 150 presentations"),
        ("results.1.bpcer_at_apcer", {"0.1": 0.5}, "results.1.bpcer_at_apcer: has nothing at 0.05, 0.01"),
        ("results.1.apcer", {}, "results.1.apcer: .*at least 1"),
        ("results.1.roc.tpr", [0.5], "results.1.roc: fpr and tpr must have the same number of points, not 36 and 1"),
    ],
)
def test_damaged_fields(tmp_path: Path, sound: str, key: str, value: object, message: str) -> None:
    content = json.loads(sound)
    *above, last = [int(part) if part.isdecimal() else part for part in key.split(".")]
    place = content
    for part in above:
        place = place[part]
    place.pop(last) if value is MISSING else place.update({last: value})
    write(tmp_path / "result.json", content)
    assert re.match(f"{tmp_path}/result.json: {message}", refusal(tmp_path / "result.json"))


def test_a_run_that_lost_its_configuration_is_no_system_of_others(tmp_path: Path, sound: str) -> None:
    content = json.loads(sound)
    del content["about"]["config"]
    write(tmp_path / "result.json", {**content, "about": {**content["about"], "run": {}}})
    assert "key 'about.config' is missing" in refusal(tmp_path)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{")
    assert "cannot be read as JSON" in refusal(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps([1]))
    assert "is damaged" in refusal(tmp_path)


def test_the_same_seed_twice(tmp_path: Path) -> None:
    said = refusal(run(tmp_path / "one"), run(tmp_path / "two"))
    assert "two/evaluation/phone/result.json: is rfm on desk&hall to phone with seed 1 again, after " in said


def test_a_folder_named_by_one_word_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "acme" / "result.json", evaluation(MANY))
    monkeypatch.chdir(tmp_path)
    write_report([Path("acme")], Path("acme.html"))
    assert Path("acme.html").is_file()


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("runs/desk&hall-to-phone/rfm", "seed-1.json"),
        ("runs", "desk&hall-to-phone/rfm/seed-1.json"),
        ("runs/desk&hall-to-phone/drdg", "../rfm/seed-1.json"),
        (".", "runs/desk&hall-to-phone/rfm/seed-1.json"),
    ],
)
def test_a_result_is_found_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, path: str
) -> None:
    study = benchmark(tmp_path / "study", ["rfm"], [1])
    (study / "runs/desk&hall-to-phone/drdg").mkdir()
    kept = study / "kept/desk&hall-to-phone/rfm/seed-1"
    kept.mkdir(parents=True)
    (kept / "config.yaml").write_text("method: rfm\n")
    monkeypatch.chdir(study / place)
    found = read_measured([Path(path)])
    assert [item.run for item in found] == [kept]
    out = commands(grouped(found), [])[0].split(" --out ")[1]
    assert Path(out).resolve() == study


def test_a_result_that_was_moved_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = benchmark(tmp_path / "study", ["rfm"], [1])
    (path,) = study.glob("runs/*/*/*.json")
    path.rename(tmp_path / "mine.json")
    monkeypatch.chdir(tmp_path)
    write_report([Path("mine.json")], Path("mine.html"), figures=False)
    assert "rfm" in Path("mine.html").read_text()


def test_a_method_without_a_result(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--methods: no result of 'rmf'; did you mean 'rfm'\?"):
        write_report([run(tmp_path / "run")], tmp_path / "never.html", methods=["rmf"])
    assert not (tmp_path / "never.html").exists()


def test_a_folder_as_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    with pytest.raises(UserError, match="pages: is a folder; name the file to write"):
        write_report([run(tmp_path / "run")], folder)
    assert sorted(tmp_path.iterdir()) == [folder, tmp_path / "run"]
