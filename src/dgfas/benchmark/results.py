"""The results of a study's trainings on disk, and whether those of a folder are what is asked for."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dgfas.benchmark.runner import require_own_place, result_path
from dgfas.benchmark.study import Asked, Training
from dgfas.core.config import parse_assignments, validated
from dgfas.core.errors import UserError
from dgfas.core.files import read_json
from dgfas.core.manifest import MANIFEST_NAME, Manifest
from dgfas.simulation.data_set import VERSION
from dgfas.training.data_record import data_set_record, first_change

#: What is known of the data in a folder, for a seed and a number of people to simulate; see `data_at`.
DataAt = Callable[[Path, int, int | None], dict[str, Any]]


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
    """Yield the results in a folder, each with its file. Raises UserError for one that is damaged or misplaced."""
    for path in sorted(results.glob("*/*/seed-*.json")):
        result = read_result(path)
        require_own_place(path, result.job.task, result.job.entry.label, result.job.seed)
        yield path, result


def require_same_jobs(jobs: Sequence[Training], results: Path) -> None:
    """Raise UserError if folder `results` holds a row of `jobs` with other settings, or one of `jobs` on other data.

    Of a row on a task all seeds count, so that its table mixes no settings. Of data it matters what they are (their
    manifests, and how they were made), not where they lie. Raises UserError, too, if any result is damaged.
    """
    row = {result_path(results, job).parent: job for job in jobs}
    asked = {result_path(results, job): job for job in jobs}
    data = cache(data_at)
    for path, result in read_results(results):
        if path.parent in row and (changed := _difference(settings_of(result.job), settings_of(row[path.parent]))):
            raise UserError(f"{path}: was made with {changed}; choose another folder, or delete it")
        if path in asked and (other := other_data(result, asked[path], data)):
            raise UserError(
                f"{path}: was made on other data ({other}); name another --out, or delete it to make it again"
            )


def settings_of(job: Asked) -> dict[str, Any]:
    """Return what decides a training, beside its data, task and seed."""
    chosen = parse_assignments(job.entry.assignments)
    facts = job.model_dump(include={"setting", "iterations", "subjects"})
    return facts | {"method": job.entry.method, "preset": job.entry.preset, "--set": chosen}


def data_at(root: Path, seed: int, subjects: int | None) -> dict[str, Any]:
    """Return what is known of the data in a folder, or of those that would be drawn there."""
    if (root / MANIFEST_NAME).is_file():
        return {"manifest": Manifest.read(root).content_hash, **data_set_record(root)}
    drawn = {"made_by": "simulation", "version": VERSION, "subjects": subjects, "seed": seed}
    return {} if subjects is None else drawn


def other_data(result: Result, job: Training, data: DataAt) -> str | None:
    """Say in what the data of a result and of a training differ, as far as both are known; None if in nothing."""
    now = [data(root, job.seed, job.subjects) for root in job.roots]
    about = result.about
    before = [{"manifest": digest, **about.data_sets.get(root, {})} for root, digest in about.manifests.items()]
    if len(before) != len(now):
        return f"data sets {len(before)}, not {len(now)}"
    return next(filter(None, map(_difference, before, now)), None)


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Say in what two descriptions differ, as far as both tell it."""
    key = first_change(before, now)
    return None if key is None else f"{key} {before[key]}, not {now[key]}"
