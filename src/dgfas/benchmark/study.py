"""Tasks x methods x seeds: every cell a training, measured on both tracks."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from dgfas.benchmark.folders import Folders, of_seed
from dgfas.benchmark.runner import result_name
from dgfas.core.config import OneOrMore, RunConfig, Strict, parse_assignments
from dgfas.core.errors import UserError
from dgfas.core.files import locked
from dgfas.core.progress import Silent, named
from dgfas.evaluation.tasks import Task, parse_task
from dgfas.evaluation.tracks import mean_domain_auc
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.evaluate import evaluate_run
from dgfas.training.run import start
from dgfas.training.selection import development_scores, freeze_operating_point

#: What the row, --data, the task and the seed say: changed by `--set`, a result would stand under a wrong name.
SAID_ELSEWHERE = ("method", "data.roots", "data.sources", "data.target", "training.seed")


class Entry(Strict):
    """A row of the table: a method, and what differs from its preset."""

    label: str = Field(pattern=r"^[A-Za-z0-9_@+-][A-Za-z0-9_.@+-]*$")  # also the folder of its results
    method: str
    preset: str = "default"
    assignments: tuple[str, ...] = ()


class Asked(Strict):
    """What is asked of a training: a row of the table on one task with one seed, of the data and of the training."""

    entry: Entry
    task: str
    seed: int
    data: OneOrMore[Path]  # the prepared data sets; `{seed}` stands for the seed. One path in older results
    subjects: int | None  # people a domain, if the data set is simulated when it is missing
    setting: str
    iterations: int | None


class Training(Asked):
    """One training of a study, and where its run lies."""

    scratch: Path  # where the run lies until it is measured
    kept: Path | None = None  # and after that; None if it is removed

    @property
    def name(self) -> str:
        """The result's path: task, row, seed."""
        return result_name(self.task, self.entry.label, self.seed)

    @property
    def roots(self) -> list[Path]:
        """The prepared data sets of this training's seed."""
        return [of_seed(path, self.seed) for path in self.data]


def trainings(
    entries: Sequence[Entry], tasks: Sequence[Task], seeds: Sequence[int], folders: Folders, **common: Any
) -> Iterator[Training]:
    """Yield all trainings, one seed after the other, so that a study cut short has whole seeds."""
    for seed in seeds:
        for task in tasks:
            for entry in entries:
                yield Training(entry=entry, task=str(task), seed=seed, data=folders.of(task), **common)


def draw_data(jobs: Sequence[Training], report: Silent) -> None:
    """Simulate the data sets that the trainings name and that this machine lacks."""
    for root, job in {job.roots[0]: job for job in jobs if job.subjects is not None}.items():  # each has one
        # Who waits for the lock finds the data set whole, and so does who comes later.
        with locked(root.with_name(f".{root.name}.lock")):
            progress = named(report.progress, f"simulating {root.name}")
            simulate(root, subjects=job.subjects or 0, seed=job.seed, progress=progress)


def require_sound_rows(jobs: Sequence[Training]) -> None:
    """Raise UserError, as `dgfas train` does, if a row's configuration has a mistake; seeds do not matter."""
    for job in jobs:
        if job.seed == jobs[0].seed:
            try:
                config_of(job)
            except UserError as error:
                raise UserError(f"row {job.entry.label!r}: {error}") from error


def config_of(job: Training) -> RunConfig:
    """Return the checked configuration of a training. Raises UserError naming the key at fault."""
    task = parse_task(job.task)
    values = [f"training.seed={job.seed}", "training.threads=1"]
    values += [] if job.iterations is None else [f"training.iterations={job.iterations}"]
    config = build_config(
        job.entry.method,
        roots=job.roots,
        sources=task.sources,
        target=task.target,
        lists=task.lists,
        preset=job.entry.preset,
        setting=job.setting,
        assignments=[*values, *job.entry.assignments],
    )
    chosen = parse_assignments(job.entry.assignments)
    for key in SAID_ELSEWHERE:
        part, _, name = key.rpartition(".")
        if name in (chosen.get(part, {}) if part else chosen):
            raise UserError(f"--set {key}: is said by the row, --data, the task or the seed; leave it out")
    return config


def train_and_measure(job: Training, report: Silent) -> dict[str, Any]:
    """Train, freeze the operating point on source data, measure the target, and return the numbers.

    The run is moved to `job.kept`, or removed if that is None.
    """
    draw_data([job], report)
    run = job.scratch / job.name
    shutil.rmtree(run, ignore_errors=True)
    config = config_of(job)
    start(config, run, report)
    step, _ = freeze_operating_point(run, selection=config.selection, threshold=config.threshold)
    evaluation = evaluate_run(run, None, selection=None, threshold=None, report=report)
    content = evaluation.to_dict()
    validation = source_validation(run, step)
    if job.kept is None:
        shutil.rmtree(run)
    else:
        kept = job.kept / job.name
        shutil.rmtree(kept, ignore_errors=True)  # of a command that was killed here
        kept.parent.mkdir(parents=True, exist_ok=True)
        run.rename(kept)
    return {"job": job.model_dump(mode="json", exclude={"scratch", "kept"}), "source_validation": validation, **content}


def source_validation(run: Path, step: int) -> dict[str, float]:
    """Return how the chosen checkpoint does on source development data: what a learning rate is chosen by."""
    return {"mean_domain_auc": mean_domain_auc(development_scores(run)[step])}
