"""From the folders of the four published data sets to the report, by the documented commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dgfas.core.recording import Recording
from dgfas.evaluation.protocols import named_protocols
from rehearsal import WORDS, rehearse

METHODS = ("rfm", "d2am", "drdg", "anrl", "pdl_fas")
#: People of each split; MSU-MFSD is whole, so that its column is measured on the frozen list.
PEOPLE = {
    "oulu_npu": {"01", "02", "21", "36", "37"},
    "casia_fasd": {"01", "02", "03", "21", "22", "23"},
    "replay_attack": {"001", "002", "003", "009", "011"},
}
#: What each column is measured on. Of OULU-NPU and Replay-Attack four people are in train and test.
COLUMNS = {
    "O&C&I to M": "ssdg, whole list",
    "O&M&I to C": "ssdg, 18 of 150 live and 54 of 450 spoof, not the frozen list",
    "O&C&M to I": "ssdg, 16 of 140 live and 80 of 700 spoof, not the frozen list",
    "I&C&M to O": "ssdg, 12 of 720 live and 48 of 2880 spoof, not the frozen list",
}


def chosen(recording: Recording) -> bool:
    """Some people before one phone of OULU-NPU, some people of the others, all of MSU-MFSD."""
    people = PEOPLE.get(recording.domain, {recording.subject})
    return recording.subject in people and (recording.domain != "oulu_npu" or recording.factors["device"] == "1")


@pytest.mark.slow
def test_from_raw_folders_to_the_report(tmp_path: Path, models: None) -> None:
    rehearse(tmp_path, chosen)
    check(tmp_path)


def check(out: Path) -> None:
    """Check what the rehearsal left: twenty results, and both pages with the test set of each column."""
    results = {str(path.relative_to(out / "ocim" / "runs")): path for path in out.rglob("seed-1.json")}
    tasks = named_protocols()["ocim"].parsed()
    assert set(results) == {f"{task.file_name}/{method}/seed-1.json" for task in tasks for method in METHODS}
    for path in results.values():
        content = json.loads(path.read_text())
        assert {Path(root).name for root in content["about"]["manifests"]} == set(WORDS)
        assert {row["domain"] for row in content["about"]["recordings"]} == {"O", "C", "I", "M"}
        assert {row["track"] for row in content["results"]} == {"deployable", "oracle"}
        assert content["about"]["rejected"] == []  # every face was found, also of the clips that are upside down

    page = (out / "ocim" / "study.md").read_text()
    html = (out / "ocim.html").read_text()
    for task, column in COLUMNS.items():
        assert f"| {task} | {column} |" in page
        assert column in html
        assert task.replace("&", "&amp;") in html
    for method in METHODS:
        assert f"| {method} |" in page
        assert f">{method}<" in html
    assert "HTER %, deployable track, by recording" in html
    [command] = [line for line in html.splitlines() if "dgfas benchmark --study" in line]  # one makes it all again
    assert all(f"--data {out / 'prepared' / word} " in command for word in WORDS)
