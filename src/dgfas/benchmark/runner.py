"""Many independent jobs: one small JSON each, done once, resumed where they stopped."""

import os
import subprocess
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dgfas.benchmark.parallel import run_in_parallel
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.training.record import machine, write_json


class Job(Protocol):
    """A piece of work; `name` is the path of its result below the results' folder, without `.json`."""

    @property
    def name(self) -> str: ...


#: Does a job and returns its result as plain JSON values. It must be a function of a module.
Work = Callable[[Any, Silent], dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs: how many were done now and before, and the reason of each that failed."""

    done: int
    done_before: int
    failed: dict[str, str]


def result_path(results: Path, job: Job) -> Path:
    """Return the file of a job's result."""
    return results / f"{job.name}.json"


def run_jobs(jobs: Sequence[Job], work: Work, results: Path, processes: int, report: Silent) -> Outcome:
    """Do the jobs that have no result in folder `results`, in their order, each in a process of one thread.

    A job that fails is reported and stops no other; the next call tries it again.
    """
    waiting = [job for job in jobs if not result_path(results, job).is_file()]
    calls = [(job.name, (job, work, results)) for job in waiting]
    reasons = run_in_parallel(_do, calls, processes, report) if calls else []
    failed = {job.name: reason for job, reason in zip(waiting, reasons, strict=True) if reason is not None}
    for name, reason in failed.items():
        report.note(f"failed: {name}: {reason}")
    return Outcome(len(waiting) - len(failed), len(jobs) - len(waiting), failed)


def _do(job: Job, work: Work, results: Path, report: Silent) -> str | None:
    """Do one job and write its result; return why it failed, or None."""
    began = time.monotonic()
    try:
        result = work(job, report)
    except UserError as error:
        return str(error)
    except Exception:
        # Whatever went wrong in one job must not end the others; the reason is kept whole.
        return traceback.format_exc()
    path = result_path(results, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"seconds": round(time.monotonic() - began, 1), "commit": commit(), **machine()}
    write_json(path, {**result, "made_by": facts})
    report.note(f"done: {job.name} in {facts['seconds']:.0f} s")
    return None


def commit() -> str:
    """Return the short hash of the commit that the working folder is at, or "unknown" outside a checkout."""
    try:
        answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()


def cores() -> int:
    """Return how many jobs of one thread this machine takes at once."""
    return os.cpu_count() or 1
