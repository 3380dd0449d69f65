"""The numbers of a study: a row a training, track and level; and its cells, mean and deviation over seeds."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.files import read_json
from dgfas.evaluation.frozen_lists import words_of_list
from dgfas.evaluation.intervals import Interval
from dgfas.evaluation.scores import Level
from dgfas.evaluation.seeds import interval_of_mean, variance_of_interval
from dgfas.evaluation.slices import parse_slice
from dgfas.evaluation.tasks import parse_task
from dgfas.evaluation.tracks import Track
from dgfas.reporting.tables import OTHER_TEST_SET, USES_TARGET
from dgfas.training.data_record import is_simulated, simulated_records

MEAN = "mean of tasks"
METRICS = ("hter", "auc")
SHORT = 12  # digits of a hash in a table


def read_study(results: Path) -> pd.DataFrame:
    """Return a row a training, track and level: task, label, seed, track, level, hter, auc, checkpoint, commit, ...

    `hter_variance` and `auc_variance` are those of the bootstrap over persons; `data` tells the data sets that were
    used from others and `simulated` whether they were drawn; `lists`, `live`, `spoof`, `subjects` and `recordings_hash`
    say which test set this is; `apcer` (a species) and `bpcer` are (errors, presentations). Raises UserError if the
    folder holds no result, or one that is damaged.
    """
    rows = []
    for path in sorted(results.glob("*/*/seed-*.json")):
        content = read_json(path)
        try:
            job = content["job"]
            rows += study_rows(content, job["task"], job["entry"]["label"], job["seed"])
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: is no result of a study ({error}); delete it to make it again") from error
    if not rows:
        raise UserError(f"{results}: holds no result of a study")
    return pd.DataFrame(rows)


def study_rows(content: dict[str, Any], task: str, label: str, seed: int) -> list[dict[str, Any]]:
    """Return the rows of `read_study` for one result."""
    data = content["about"]["config"].get("data", {})
    made_by = content.get("made_by", {})
    return [
        {
            "task": task,
            "label": label,
            "seed": seed,
            **{key: result[key] for key in ("track", "level", "checkpoint", *METRICS)},
            **_bootstrap(result),
            **_test_set(result),
            "lists": data.get("lists", ""),
            "data": _data(content),
            "simulated": is_simulated(content),
            "uses_target_images": content["about"]["uses_target_images"],
            "commit": made_by.get("commit", "unknown"),
            "seconds": made_by.get("seconds", math.nan),
        }
        for result in content["results"]
    ]


def _data(content: dict[str, Any]) -> str:
    """Return what tells the data sets of a result from others, wherever they lie; their paths if it holds no more."""
    about = content["about"]
    drawn = simulated_records(about)
    found = [f"{digest} {json.dumps(drawn.get(root))}" for root, digest in (about.get("manifests") or {}).items()]
    return "\n".join(sorted(found) or about["config"].get("data", {}).get("roots", []))


def _bootstrap(result: dict[str, Any]) -> dict[str, float]:
    found = result.get("bootstrap", {})
    return {
        f"{metric}_variance": variance_of_interval(result[metric], found[metric]) if found.get(metric) else math.nan
        for metric in METRICS
    }


def _test_set(result: dict[str, Any]) -> dict[str, Any]:
    """Return how many presentations were measured, and which recordings."""
    return {
        "apcer": {name: (rate["errors"], rate["total"]) for name, rate in result.get("apcer", {}).items()},
        "bpcer": tuple(result.get("bpcer", {}).get(key, 0) for key in ("errors", "total")),
        "live": result.get("bpcer", {}).get("total", 0),
        "spoof": sum(rate["total"] for rate in result.get("apcer", {}).values()),
        "subjects": result.get("bootstrap", {}).get("persons", 0),
        "recordings_hash": result.get("recordings_hash", ""),
    }


@dataclass(frozen=True)
class Cell:
    """Shares in [0, 1] of several seeds: mean, deviation (None of one seed) and 95 % interval of the mean."""

    mean: float
    deviation: float | None
    interval: Interval | None
    seeds: int

    def __str__(self) -> str:
        deviation = "" if self.deviation is None else f" ± {100 * self.deviation:.1f}"
        return f"{100 * self.mean:.1f}{deviation}"

    @property
    def interval_text(self) -> str:
        """The interval in percent, or nothing."""
        return "" if self.interval is None else f" [{100 * self.interval[0]:.1f}, {100 * self.interval[1]:.1f}]"


def cell(rows: pd.DataFrame, metric: str) -> Cell | None:
    """Summarise the rows of one method on one task (or on several, then by each seed's mean over them); a row a seed.

    The interval is for new seeds and new persons (see `interval_of_mean`): seeds have the same persons if they were
    measured on the same data sets on disk.
    """
    if rows.empty:
        return None
    by_seed = rows.groupby("seed")
    values = by_seed[metric].mean()
    same_persons = rows.groupby("task")["data"].nunique().max() == 1
    variance = _person_variance(rows, metric) / rows["task"].nunique() ** 2
    return Cell(
        mean=float(values.mean()),
        deviation=float(values.std(ddof=1)) if len(values) > 1 else None,
        interval=interval_of_mean(list(values), list(variance.dropna()), same_persons=same_persons),
        seeds=len(values),
    )


def _person_variance(rows: pd.DataFrame, metric: str) -> pd.Series:
    """Return, by seed, the variance of the sum over tasks when persons are drawn anew; NaN where one is unknown.

    Tasks on one data set (folds, cameras) may have the same persons: their deviations add. Those of others are
    independent: their variances add.
    """
    data_set = rows["task"].map(lambda task: parse_slice(parse_task(task).target).data_set)
    deviation = rows[f"{metric}_variance"] ** 0.5
    same_persons = deviation.groupby([rows["seed"], data_set]).agg(lambda each: each.sum(skipna=False))
    return (same_persons**2).groupby("seed").agg(lambda each: each.sum(skipna=False))


def whole_seeds(rows: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Return the rows of those seeds that have all `tasks`, in one method's rows."""
    number = rows[rows["task"].isin(tasks)].groupby("seed")["task"].nunique()
    return rows[rows["task"].isin(tasks) & rows["seed"].isin(number.index[number == len(tasks)])]


def seed_means(rows: pd.DataFrame, label: str, tasks: Sequence[str], metric: str) -> dict[int, float]:
    """Return a label's mean over `tasks` at each seed that has all of them; `rows` are of one track and level."""
    means: dict[int, float] = whole_seeds(rows[rows["label"] == label], tasks).groupby("seed")[metric].mean().to_dict()
    return means


def marked(study: pd.DataFrame, label: str, odd: Collection[str] = ()) -> str:
    """Return what tables call a label: of a method that uses images of the target they say so; of those in `odd`, †."""
    adapts = study.loc[study["label"] == label, "uses_target_images"].any()
    return label + (USES_TARGET if adapts else "") + (OTHER_TEST_SET if label in odd else "")


def odd_labels(study: pd.DataFrame) -> set[str]:
    """Return the labels that were measured on other recordings than most methods, on one task or more."""
    return {label for _, label in other_test_sets(study[study["level"] == "recording"])}


def study_table(
    study: pd.DataFrame,
    metric: str,
    track: Track,
    level: Level,
    labels: Sequence[str],
    *,
    intervals: bool = False,
) -> pd.DataFrame:
    """Return mean ± standard deviation over seeds in percent: a row a label, a column a task, and the mean of several.

    The last column's deviation is that of each seed's mean over the tasks; seeds that lack a task are left out of it.
    A cell says in brackets how many seeds it has, where not all; † that it was measured on other recordings than most
    methods of its column. `intervals` adds the 95 % interval of the mean (see `cell`).
    """
    chosen = study[(study["track"] == track) & (study["level"] == level)]
    tasks, seeds = list(dict.fromkeys(chosen["task"])), chosen["seed"].nunique()
    odd = other_test_sets(chosen)

    def text(rows: pd.DataFrame, mark: bool) -> str:
        found = cell(rows, metric)
        if found is None:
            return "–"
        number = "" if found.seeds == seeds else f" ({found.seeds})"
        return f"{found}{found.interval_text if intervals else ''}{number}{OTHER_TEST_SET if mark else ''}"

    table = []
    for label in labels:
        rows = chosen[chosen["label"] == label]
        cells = {task: text(rows[rows["task"] == task], (task, label) in odd) for task in tasks}
        if len(tasks) > 1:
            cells[MEAN] = text(whole_seeds(rows, tasks), any(key[1] == label for key in odd))
        table.append({"method": marked(study, label), **cells})
    return pd.DataFrame(table)


def other_test_sets(rows: pd.DataFrame) -> set[tuple[str, str]]:
    """Return each (task, label) that was measured on other recordings than most methods, of equals the first.

    Compared are those of the same seed, and those of the same data sets, whatever their seeds: others may differ.
    """
    odd = set()
    for alike in ("seed", "data"):
        for (task, _), same in rows.groupby(["task", alike]):
            usual = same.groupby("recordings_hash", sort=False)["label"].nunique().idxmax()
            odd |= {(str(task), str(label)) for label in same.loc[same["recordings_hash"] != usual, "label"]}
    return odd


def measured_sets(study: pd.DataFrame, level: Level = "recording") -> pd.DataFrame:
    """Return which recordings were measured: a row a task and test set, with its lists, counts and hash."""
    rows = study[study["level"] == level]
    keys = ["task", "lists", "live", "spoof", "subjects", "recordings_hash"]
    table = []
    for values, group in rows.groupby(keys, sort=False):
        facts = dict(zip(keys, values, strict=True))
        counts = facts["live"], facts["spoof"], facts["recordings_hash"]
        table.append(
            {
                **facts,
                "lists": words_of_list(parse_task(facts["task"]).target, facts["lists"], *counts),
                "recordings_hash": str(facts["recordings_hash"])[:SHORT],
                "data sets": group["data"].nunique(),
                "methods": "all" if group["label"].nunique() == _methods(rows, facts["task"]) else _listed(group),
            }
        )
    return pd.DataFrame(table).rename(columns={"recordings_hash": "recordings (hash)"})


def _methods(rows: pd.DataFrame, task: str) -> int:
    return rows.loc[rows["task"] == task, "label"].nunique()


def _listed(rows: pd.DataFrame) -> str:
    return ", ".join(dict.fromkeys(rows["label"]))


def markdown(table: pd.DataFrame) -> str:
    """Write a table in Markdown."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)
