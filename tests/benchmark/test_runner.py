"""Jobs: done once, resumed, and a failing one stops no other."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dgfas.benchmark import runner
from dgfas.benchmark.parallel import Processes
from dgfas.benchmark.runner import commit, result_path, run_jobs
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


def test_the_commit_is_the_packages_own_and_not_that_of_a_repository_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "runner.py"
    shutil.copy(str(runner.__file__), copy)
    monkeypatch.setattr(runner, "__file__", str(copy))
    assert commit() == "unknown"

    def git(*words: str) -> str:
        user = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        return subprocess.run(["git", *user, *words], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "theirs")
    assert commit() == "unknown"
    git("add", "runner.py")
    git("commit", "-q", "-m", "ours")
    monkeypatch.chdir("/")
    assert commit() == git("rev-parse", "--short", "HEAD").strip()
