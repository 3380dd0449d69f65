"""The results that a report is made from, as they lie on disk."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dgfas.benchmark.runner import kept_run
from dgfas.core.config import merge, validated
from dgfas.core.errors import UserError, nearest
from dgfas.core.files import read_json
from dgfas.evaluation.scores import Level
from dgfas.evaluation.tracks import Track
from dgfas.reporting.html.stored import About, StoredConfig, StoredEvaluation, StoredResult, model_of
from dgfas.training.data_record import draws_of_target, is_simulated, simulated_records
from dgfas.training.record import CONFIG_NAME


@dataclass(frozen=True)
class Measured:
    """One result file, and the folder of the run that it was measured on, if that is still there."""

    path: Path
    content: StoredEvaluation
    run: Path | None
    raw: dict[str, Any] = field(repr=False)  # the content as it lies in the file

    @property
    def about(self) -> About:
        return self.content.about

    @property
    def config(self) -> StoredConfig | None:
        """What is needed of the run's configuration; None for a system of others."""
        return self.about.config

    @property
    def whole_config(self) -> dict[str, Any]:
        """The resolved configuration of the run; empty for a system of others."""
        return dict(self.raw["about"].get("config", {}))

    @property
    def folder(self) -> Path:
        """Where it lies: the folder of its benchmark, of its run, or of the result alone."""
        if self.content.job is None:
            return self.run or self.path.parent
        return _above(self.path, 3)  # OUT/runs/TASK/ROW/seed-N.json

    @property
    def label(self) -> str:
        """What the item is called in tables."""
        if self.content.job is not None:
            return self.content.job.entry.label
        if self.config is not None:
            preset = self.config.preset
            return Path(self.config.method).stem + ("" if preset == "default" else f" ({preset})")
        return self.about.system or self.content.title

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the seeds of one item share, by key: the configuration but for seed, data and task; the rules used."""
        maker = "scores" if self.config is None else "run" if self.content.job is None else "benchmark"
        shared: dict[str, Any] = {"label": self.label, "measured as": maker}
        if self.config is None:
            return shared
        used, elsewhere = self.result("deployable"), dict.fromkeys(("roots", "sources", "target", "lists"))
        rules = {"selection": used.selection, "threshold": used.threshold.option}
        return shared | _leaves(merge(self.whole_config, {"training": {"seed": None}, "data": elsewhere, **rules}))

    @property
    def task(self) -> str:
        return self.about.task or self.content.title

    @property
    def seed(self) -> int | None:
        """The seed of the training; None for a system of others."""
        return self.config.training.seed if self.config else None

    @property
    def simulated(self) -> bool:
        """Whether any of its data was simulated, as far as the result says."""
        return is_simulated(self.raw)

    @property
    def drawn(self) -> dict[str, dict[str, Any]]:
        """The records, by folder, of its data sets that were simulated."""
        return simulated_records(self.raw["about"])

    @cached_property
    def test_set(self) -> str:
        """What two test sets differ in: recordings, subjects, labels; simulated ones also in how they were drawn.

        Where they lie on disk is no difference.
        """
        return "\n".join([self.result("deployable").recordings_hash, *self._draws])

    def is_another_draw_than(self, other: "Measured") -> bool:
        """Whether the data of both were drawn alike, but from other seeds: their recordings need not be the same."""
        return self._draws != other._draws and self._ways == other._ways

    def has_test_set_of(self, other: "Measured") -> bool:
        """Whether both were measured on the same recordings, as far as both say; scores of others tell no draw."""
        if self._draws and other._draws:
            return self.test_set == other.test_set
        return self.result("deployable").recordings_hash == other.result("deployable").recordings_hash

    @cached_property
    def _draws(self) -> list[str]:
        return sorted(json.dumps(each, sort_keys=True) for each in draws_of_target(self.raw))

    @cached_property
    def _ways(self) -> list[str]:
        return sorted(json.dumps({**each, "seed": None}, sort_keys=True) for each in draws_of_target(self.raw))

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
    content = validated(model_of(raw), raw, str(path))
    wanted = {(track, level) for track in ("deployable", "oracle") for level in ("frame", "recording")}
    if {(result.track, result.level) for result in content.results} != wanted:
        raise UserError(f"{path}: lacks a track or level; measure it again with `dgfas evaluate`")
    run = _run_of(path, content)
    return Measured(path, content, run if run is not None and (run / CONFIG_NAME).is_file() else None, raw)


def _run_of(path: Path, content: StoredEvaluation) -> Path | None:
    """Return where the run of a result would lie."""
    if content.job is None:
        return _above(path, 2) if path.name == "result.json" else None  # RUN/evaluation/TARGET/result.json
    whole = _whole(path)
    return kept_run(whole) if len(whole.parents) > 3 else None


def _above(path: Path, levels: int) -> Path:
    """Return the folder so many levels above that of a file, as short as the path has it."""
    told = len(path.parents) > levels and ".." not in path.parts[-levels - 1 :]
    parents = (path if told else _whole(path)).parents
    return parents[min(levels, len(parents) - 1)]


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _leaves(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return the values of a configuration by their keys, written `training.iterations`."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _leaves(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found
