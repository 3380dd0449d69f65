"""Many independent jobs: one small JSON each, done once, resumed where they stopped."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dgfas.core.errors import UserError
from dgfas.core.files import write_json
from dgfas.core.progress import Silent
from dgfas.core.work import Call, Executor
from dgfas.evaluation.tasks import parse_task
from dgfas.training.record import machine


class Job(Protocol):
    """A piece of work; `name` is the path of its result below the results' folder, without `.json`."""

    @property
    def name(self) -> str: ...


KEPT = "kept"  # the folder, beside that of the results, of the runs that are kept

#: Does a job and returns its result as plain JSON values. It must be a function of a module.
Work = Callable[[Any, Silent], dict[str, Any]]
AnyJob = TypeVar("AnyJob", bound=Job)


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs: how many were done now and before, and the reason of each that failed."""

    done: int
    done_before: int
    failed: dict[str, str]


def result_name(task: str, label: str, seed: int) -> str:
    """Return where the result of a training lies in a folder of results, without its ending."""
    return f"{parse_task(task).file_name}/{label}/seed-{seed}"


def require_own_place(path: Path, task: str, label: str, seed: int) -> None:
    """Raise UserError if a result does not lie where its training puts it, where another may lie: both would count."""
    name = result_name(task, label, seed)
    if path.parts[-3:] != Path(f"{name}.json").parts:
        raise UserError(f"{path}: is the result of {name}.json; move it there, or out of the folder")


def result_path(results: Path, job: Job) -> Path:
    """Return the file of a job's result."""
    return results / f"{job.name}.json"


def kept_run(result: Path) -> Path:
    """Return the kept run of a result: OUT/kept/TASK/ROW/seed-N of OUT/runs/TASK/ROW/seed-N.json."""
    results = result.parents[2]
    return results.with_name(KEPT) / result.relative_to(results).with_suffix("")


def waiting_jobs(jobs: Sequence[AnyJob], results: Path) -> list[AnyJob]:
    """Return the jobs that have no result in folder `results`, in their order."""
    return [job for job in jobs if not result_path(results, job).is_file()]


def run_jobs(
    jobs: Sequence[AnyJob],
    work: Work,
    results: Path,
    executor: Executor,
    report: Silent,
    on_done: Callable[[AnyJob, float], None] = lambda job, seconds: None,
) -> Outcome:
    """Do the jobs that have no result in folder `results`, in their order, and write each result as it comes.

    Only this process writes results, so that a job that ran twice, because its machine was lost, is in them once.
    A job that fails is reported and stops no other; the next call tries it again. `on_done` is told of each job that
    is done, and of the seconds that it took. Raises ValueError if two jobs have one name.
    """
    waiting = waiting_jobs(jobs, results)
    if len({job.name for job in jobs}) < len(jobs):
        raise ValueError("two jobs have the same name")
    made_at, failed, ended = commit(), {}, 0
    calls: list[Call] = [(job.name, (job,)) for job in waiting]
    for answer in executor.answers(partial(_timed, work), calls, report) if calls else ():
        job, ended = waiting[answer.number], ended + 1
        if answer.error is not None:
            failed[job.name] = str(answer.error)
            report.note(f"failed: {job.name}: {answer.error}")
        else:
            result, facts = answer.result
            path = result_path(results, job)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {**result, "made_by": {**facts, "commit": made_at}})
            report.note(f"done: {job.name} in {facts['seconds']:.0f} s")
            on_done(job, facts["seconds"])
        report.progress("jobs", ended, len(waiting))
    return Outcome(len(waiting) - len(failed), len(jobs) - len(waiting), failed)


def _timed(work: Work, job: Job, report: Silent) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a job's result, and in how many seconds and on what machine it was made."""
    began = time.monotonic()
    result = work(job, report)
    return result, {"seconds": round(time.monotonic() - began, 1), **machine()}


def commit() -> str:
    """Return the short hash of the commit that the package is at, or "unknown" outside its own checkout."""
    here = Path(__file__)

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=here.parent, capture_output=True, text=True, check=True).stdout

    try:
        git("ls-files", "--error-unmatch", here.name)  # else it is installed below another repository
        return git("rev-parse", "--short", "HEAD").strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
