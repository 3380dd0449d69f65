"""Paths that cannot be reported: one line each, that names the file and the remedy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from results_on_disk import MANY, evaluation, run, write

from dgfas.core.errors import UserError
from dgfas.reporting.html import write_report


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
