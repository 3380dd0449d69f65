"""The results that a report is made from, as they lie on disk."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from dgfas.benchmark.runner import kept_run
from dgfas.core.config import merge, validated
from dgfas.core.errors import UserError, nearest
from dgfas.core.files import read_json
from dgfas.evaluation.scores import Level
from dgfas.evaluation.tracks import Track
from dgfas.reporting.html.stored import StoredEvaluation, StoredResult
from dgfas.reporting.tables import USES_TARGET
from dgfas.training.data_record import is_simulated, simulated_records
from dgfas.training.record import CONFIG_NAME


@dataclass(frozen=True)
class Measured:
    """One result file, and the folder of the run that it was measured on, if that is still there."""

    path: Path
    content: StoredEvaluation
    run: Path | None
    raw: dict[str, Any] = field(repr=False)  # the content as it lies in the file

    @property
    def about(self) -> dict[str, Any]:
        return self.content.about

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration of the run; empty for a system of others."""
        return dict(self.about.get("config") or {})

    @property
    def label(self) -> str:
        """What the item is called in tables."""
        if self.content.job is not None:
            return self.content.job.entry.label
        if self.config:
            preset = self.config.get("preset", "default")
            return Path(self.config["method"]).stem + ("" if preset == "default" else f" ({preset})")
        return str(self.about.get("system") or self.content.title)

    @property
    def kind(self) -> str:
        """What the seeds of one item share: a benchmark's label, or the configuration but for seed and data."""
        if self.content.job is not None or not self.config:
            return self.label
        rest = merge(self.config, {"training": {"seed": None}, "data": None})
        return json.dumps(rest, sort_keys=True)

    @property
    def task(self) -> str:
        return str(self.about.get("task") or self.content.title)

    @property
    def seed(self) -> int | None:
        """The seed of the training; None for a system of others."""
        return int(self.config["training"]["seed"]) if self.config else None

    @property
    def simulated(self) -> bool:
        """Whether any of its data was simulated, as far as the result says."""
        return is_simulated(self.raw)

    @property
    def test_set(self) -> str:
        """What two test sets differ in: recordings, subjects, labels; simulated ones also in how they were drawn.

        Where they lie on disk is no difference.
        """
        drawn = sorted(json.dumps(each, sort_keys=True) for each in simulated_records(self.about).values())
        return "\n".join([self.result("deployable").recordings_hash, *drawn])

    def result(self, track: Track, level: Level = "recording") -> StoredResult:
        """Return one track at one level."""
        return next(result for result in self.content.results if (result.track, result.level) == (track, level))


def read_measured(paths: Iterable[Path]) -> list[Measured]:
    """Read all results below the given paths, in their order.

    A path is the folder of a benchmark (runs/*/*/seed-*.json in it), of a finished and evaluated run
    (evaluation/TARGET/result.json), of `dgfas evaluate --scores` (result.json), or a result file itself. Raises
    UserError for a path without results and for a file that is not one.
    """
    found: dict[Path, Measured] = {}
    for path in paths:
        for file in _result_files(path):
            found.setdefault(file.resolve(), _read(file))
    return list(found.values())


def only(measured: Sequence[Measured], methods: Sequence[str]) -> list[Measured]:
    """Return the results of `methods` (labels), of all if none is named. Raises UserError for one without a result."""
    labels = {item.label for item in measured}
    for method in methods:
        if method not in labels:
            raise UserError(f"--methods: no result of {method!r}; {nearest(method, labels)}")
    return [item for item in measured if not methods or item.label in methods]


def _result_files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix == ".csv":
            raise UserError(f"{path}: holds scores; measure them by `dgfas evaluate --scores`, and report its folder")
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: does not exist; name the folder of a benchmark, of a run, or of measured scores")
    for pattern in ("runs/*/*/seed-*.json", "evaluation/*/result.json", "result.json"):
        files = sorted(path.glob(pattern))
        if files:
            return files
    if (path / CONFIG_NAME).is_file():
        raise UserError(f"{path}: is a run that was not measured yet; `dgfas evaluate {path}` does so")
    raise UserError(f"{path}: holds no results: no runs/*/*/seed-*.json, evaluation/*/result.json or result.json")


def _read(path: Path) -> Measured:
    raw = read_json(path, "title", "about", "results")
    content = validated(StoredEvaluation, raw, str(path))
    wanted = {(track, level) for track in ("deployable", "oracle") for level in ("frame", "recording")}
    if {(result.track, result.level) for result in content.results} != wanted:
        raise UserError(f"{path}: lacks a track or level; measure it again with `dgfas evaluate`")
    above = list(path.parents)[2:3] if path.name == "result.json" else []  # RUN/evaluation/TARGET/result.json
    places = above if content.job is None else [kept_run(path.absolute())]
    run = next((folder for folder in places if (folder / CONFIG_NAME).is_file()), None)
    return Measured(path, content, run, raw)


@dataclass(frozen=True)
class Group:
    """One row of the headline: one method (or system) on one task, measured with one seed or more."""

    task: str
    label: str
    members: tuple[Measured, ...]

    @property
    def name(self) -> str:
        return f"{self.label}, {self.task}"

    @property
    def marked(self) -> str:
        """What tables call it: of a method that uses images of the target they say so."""
        adapts = any(member.about.get("uses_target_images") for member in self.members)
        return self.label + (USES_TARGET if adapts else "")

    @property
    def seeds(self) -> list[int | None]:
        return [member.seed for member in self.members]

    def results(self, track: Track, level: Level = "recording") -> list[StoredResult]:
        """Return one track of every seed at one level."""
        return [member.result(track, level) for member in self.members]

    @property
    def independent(self) -> bool:
        """Whether every seed was measured on recordings of its own."""
        return len({member.test_set for member in self.members}) == len(self.members)


def grouped(measured: Sequence[Measured]) -> list[Group]:
    """Gather the seeds of each method on each task; tasks and methods keep the order in which they come first.

    Of runs of one method that differ in more than the seed, each is called by its folder too. Raises UserError if a
    seed comes twice.
    """
    groups: dict[tuple[str, str, str], list[Measured]] = {}
    for item in measured:
        groups.setdefault((item.task, item.label, item.kind), []).append(item)
    for items in groups.values():
        _require_seeds_once(items)
    tasks = list(dict.fromkeys(task for task, *_ in groups))
    kinds = list(dict.fromkeys(key[1:] for key in groups))
    return [
        Group(task, _name(label, kind, kinds, groups[task, label, kind]), tuple(groups[task, label, kind]))
        for task in tasks
        for label, kind in kinds
        if (task, label, kind) in groups
    ]


def _require_seeds_once(items: list[Measured]) -> None:
    items.sort(key=lambda item: -1 if item.seed is None else item.seed)
    for first, second in pairwise(items):
        if first.seed == second.seed:
            seed = "" if first.seed is None else f" with seed {first.seed}"
            raise UserError(
                f"{second.path}: is {second.label} on {second.task}{seed} again, after {first.path}; leave one out"
            )


def _name(label: str, kind: str, kinds: list[tuple[str, str]], items: list[Measured]) -> str:
    run = items[0].run
    alone = len([other for other, _ in kinds if other == label]) == 1
    return label if alone or run is None else f"{label} ({run.name})"
