"""Tasks x methods x seeds: every cell a training, measured on both tracks."""

import math
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from dgfas.benchmark.folders import Folders, of_seed
from dgfas.benchmark.runner import result_path
from dgfas.core.config import OneOrMore, RunConfig, Strict, parse_assignments, validated
from dgfas.core.errors import UserError
from dgfas.core.files import locked, read_json
from dgfas.core.manifest import MANIFEST_NAME, Manifest
from dgfas.core.progress import Silent, named
from dgfas.evaluation.tasks import Task, parse_task
from dgfas.evaluation.tracks import mean_domain_auc
from dgfas.simulation.data_set import VERSION, simulate
from dgfas.training.configure import build_config
from dgfas.training.data_record import data_set_record, first_change
from dgfas.training.evaluate import evaluate_run
from dgfas.training.run import start
from dgfas.training.selection import development_scores, freeze_operating_point


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
        return f"{parse_task(self.task).file_name}/{self.entry.label}/seed-{self.seed}"

    @property
    def roots(self) -> list[Path]:
        """The prepared data sets of this training's seed."""
        return [of_seed(path, self.seed) for path in self.data]


class MadeBy(BaseModel):
    """How a result was made, as far as it is needed here."""

    seconds: float


class About(BaseModel):
    """On what a result was made: the hash of each manifest, and how each data set was made, by folder."""

    manifests: dict[str, str]
    data_sets: dict[str, dict[str, Any]] = {}


class Result(BaseModel):
    """What is needed here of a result's file, which holds more."""

    job: Asked
    source_validation: dict[str, float]
    about: About
    results: list[dict[str, Any]]
    made_by: MadeBy


def read_result(path: Path) -> Result:
    """Read the result of a training. Raises UserError if it is damaged."""
    try:
        return validated(Result, read_json(path), str(path))
    except UserError as error:
        raise UserError(f"{error}; delete it to make it again") from error


def read_results(results: Path) -> Iterator[tuple[Path, Result]]:
    """Yield the results in a folder, each with its file. Raises UserError for one that is damaged."""
    for path in sorted(results.glob("*/*/seed-*.json")):
        yield path, read_result(path)


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


def require_same_jobs(jobs: Sequence[Training], results: Path) -> None:
    """Raise UserError if folder `results` holds a row of `jobs` with other settings, or one of `jobs` on other data.

    Of a row on a task all seeds count, so that its table mixes no settings. Of data it matters what they are (their
    manifests, and how they were made), not where they lie. Raises UserError, too, if any result is damaged.
    """
    row = {result_path(results, job).parent: job for job in jobs}
    asked = {result_path(results, job): job for job in jobs}
    data = cache(_data)
    for path, result in read_results(results):
        if path.parent in row and (changed := _difference(_settings(result.job), _settings(row[path.parent]))):
            raise UserError(f"{path}: was made with {changed}; choose another folder, or delete it")
        if path in asked:
            now = [data(root, asked[path].seed, asked[path].subjects) for root in asked[path].roots]
            if other := _other_data(result.about, now):
                raise UserError(
                    f"{path}: was made on other data ({other}); name another --out, or delete it to make it again"
                )


def _settings(job: Asked) -> dict[str, Any]:
    """Return what decides a training beside data, task and seed."""
    chosen = parse_assignments(job.entry.assignments)
    facts = job.model_dump(include={"setting", "iterations", "subjects"})
    return facts | {"method": job.entry.method, "preset": job.entry.preset, "--set": chosen}


def _data(root: Path, seed: int, subjects: int | None) -> dict[str, Any]:
    """Return what is known of the data in a folder, or of those that would be drawn there."""
    if (root / MANIFEST_NAME).is_file():
        return {"manifest": Manifest.read(root).content_hash, **data_set_record(root)}
    drawn = {"made_by": "simulation", "version": VERSION, "subjects": subjects, "seed": seed}
    return {} if subjects is None else drawn


def _other_data(about: About, now: Sequence[dict[str, Any]]) -> str | None:
    """Say in what the data of a result, in their order, differ from those of `now`, as far as both are known."""
    before = [{"manifest": digest, **about.data_sets.get(root, {})} for root, digest in about.manifests.items()]
    if len(before) != len(now):
        return f"data sets {len(before)}, not {len(now)}"
    return next(filter(None, map(_difference, before, now)), None)


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Say in what two descriptions differ, as far as both tell it."""
    key = first_change(before, now)
    return None if key is None else f"{key} {before[key]}, not {now[key]}"


def config_of(job: Training) -> RunConfig:
    """Return the checked configuration of a training. Raises UserError naming the key at fault."""
    task = parse_task(job.task)
    values = [f"training.seed={job.seed}", "training.threads=1"]
    values += [] if job.iterations is None else [f"training.iterations={job.iterations}"]
    return build_config(
        job.entry.method,
        roots=job.roots,
        sources=task.sources,
        target=task.target,
        lists=task.lists,
        preset=job.entry.preset,
        setting=job.setting,
        assignments=[*values, *job.entry.assignments],
    )


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


def validations_of_rates(jobs: Sequence[Training], results: Path) -> dict[str, dict[float, float]]:
    """Return method -> learning rate -> source-development AUC, the mean over the tasks and seeds of `jobs`.

    Rows that an earlier `--tune` tried on the same tasks and seeds with the same settings count too: so further rates,
    or methods, can be tried by a later command. Nothing else in folder `results` does.
    """
    same = [_but_the_rate(job) for job in jobs]
    found: dict[str, dict[float, list[float]]] = {}
    for _, result in read_results(results):
        entry = result.job.entry
        rate = entry.label.rpartition("@")[2]
        if entry.assignments[-1:] == (f"options.learning_rate={rate}",) and _but_the_rate(result.job) in same:
            value = result.source_validation["mean_domain_auc"]
            found.setdefault(entry.method, {}).setdefault(float(rate), []).append(value)
    return {
        method: {rate: sum(values) / len(values) for rate, values in sorted(rates.items())}
        for method, rates in found.items()
    }


def _but_the_rate(job: Asked) -> dict[str, Any]:
    """Return on what, and how, rates are tried: all but the method and its rate, which is assigned last."""
    own = {"method": None, "--set": parse_assignments(job.entry.assignments[:-1])}
    return {"task": job.task, "seed": job.seed} | _settings(job) | own


def choose_rates(validations: dict[str, dict[float, float]]) -> dict[str, float]:
    """Return each method's learning rate with the best source validation; of equal ones the one nearest to 1e-3."""
    return {
        method: max(rates, key=lambda rate: (rates[rate], -abs(math.log(rate / 1e-3))))
        for method, rates in validations.items()
    }
