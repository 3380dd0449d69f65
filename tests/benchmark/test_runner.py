"""Jobs: done once, resumed, and a failing one stops no other."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from dgfas.benchmark.parallel import Processes
from dgfas.benchmark.runner import result_path, run_jobs
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from heard import Heard


@dataclass(frozen=True)
class Division:
    name: str
    by: int


def divide(job: Division, report: Silent) -> dict[str, float]:
    if job.by < 0:
        raise UserError("by is negative")
    report.progress("dividing", 1, 1)
    return {"result": 12 / job.by}


def test_a_failing_job_is_reported_and_stops_no_other(tmp_path: Path) -> None:
    jobs = [Division("a/zero", 0), Division("a/negative", -1), Division("b/three", 3)]
    heard, told = Heard(), []
    outcome = run_jobs(jobs, divide, tmp_path, Processes(2), heard, lambda job, seconds: told.append(job))
    assert outcome.done == 1
    assert outcome.done_before == 0
    assert outcome.failed["a/negative"] == "by is negative"
    assert "ZeroDivisionError" in outcome.failed["a/zero"]
    content = json.loads(result_path(tmp_path, jobs[2]).read_text())
    assert content["result"] == 4
    assert {"seconds", "commit", "machine"} <= content["made_by"].keys()
    assert any(line.startswith("failed: a/negative") for line in heard.notes)
    assert not result_path(tmp_path, jobs[0]).exists()
    assert told == [jobs[2]]
    with pytest.raises(ValueError, match="same name"):
        run_jobs([*jobs, jobs[0]], divide, tmp_path, Processes(2), heard)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    jobs = [Division("one", 1), Division("two", 2)]
    result_path(tmp_path, jobs[0]).write_text('{"result": "kept"}')
    outcome = run_jobs(jobs, divide, tmp_path, Processes(1), Silent())
    assert (outcome.done, outcome.done_before) == (1, 1)
    assert json.loads(result_path(tmp_path, jobs[0]).read_text()) == {"result": "kept"}
    assert run_jobs(jobs, divide, tmp_path, Processes(1), Silent()).done == 0
