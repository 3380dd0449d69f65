"""The numbers of a study: a row a training, track and level, and its tables."""

import json
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dgfas.benchmark.runner import require_own_place
from dgfas.core.errors import UserError
from dgfas.core.files import read_json
from dgfas.evaluation.frozen_lists import words_of_list
from dgfas.evaluation.scores import Level
from dgfas.evaluation.seeds import variance_of_interval
from dgfas.evaluation.tasks import parse_task
from dgfas.evaluation.tracks import Track
from dgfas.reporting.cells import cell, whole_seeds
from dgfas.reporting.tables import OTHER_TEST_SET, USES_TARGET
from dgfas.training.data_record import draws_of_target, is_simulated, simulated_records

MEAN = "mean of tasks"
METRICS = ("hter", "auc")
SHORT = 12  # digits of a hash in a table


def read_study(results: Path) -> pd.DataFrame:
    """Return a row a training, track and level: task, label, seed, track, level, hter, auc, checkpoint, commit, ...

    `hter_variance` and `auc_variance` are those of the bootstrap over persons; `data` tells the data sets that were
    used from others, `persons` the people that were measured, and `simulated` whether any were drawn; `lists`, `live`,
    `spoof`, `subjects` and `recordings_hash` say which test set this is; `apcer` (a species) and `bpcer` are (errors,
    presentations). Raises UserError if the folder holds no result, or one that is damaged or misplaced.
    """
    rows = []
    for path in sorted(results.glob("*/*/seed-*.json")):
        content = read_json(path)
        try:
            job = content["job"]
            require_own_place(path, job["task"], job["entry"]["label"], job["seed"])
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
            "persons": _persons(content, result),
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


def _persons(content: dict[str, Any], result: dict[str, Any]) -> str:
    """Return what tells the people of a result's target from others."""
    draws = draws_of_target(content)
    drawn = list(map(json.dumps, draws)) if draws or content["about"].get("data_sets") else [_data(content)]
    return "\n".join([result.get("recordings_hash", ""), *drawn])


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
