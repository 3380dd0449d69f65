"""The tables of a study: mean and standard deviation over seeds, a row a method, a column a task."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dgfas.core.errors import UserError
from dgfas.evaluation.scores import Level
from dgfas.evaluation.tracks import Track
from dgfas.training.record import read_json

MEAN = "mean of tasks"


def read_study(results: Path) -> pd.DataFrame:
    """Return a row a training, track and level: task, label, seed, track, level, hter, auc, checkpoint, commit.

    Raises UserError if the folder holds no result.
    """
    rows = []
    for path in sorted(results.glob("*/*/seed-*.json")):
        content = read_json(path)
        for result in content["results"]:
            rows.append(
                {
                    "task": content["job"]["task"],
                    "label": content["job"]["entry"]["label"],
                    "seed": content["job"]["seed"],
                    **{key: result[key] for key in ("track", "level", "checkpoint", "hter", "auc")},
                    "uses_target_images": content["about"]["uses_target_images"],
                    "commit": content["made_by"]["commit"],
                    "seconds": content["made_by"]["seconds"],
                }
            )
    if not rows:
        raise UserError(f"{results}: holds no result of a study")
    return pd.DataFrame(rows)


def study_table(study: pd.DataFrame, metric: str, track: Track, level: Level, labels: Sequence[str]) -> pd.DataFrame:
    """Return mean ± standard deviation over seeds in percent: a row a label, a column a task, and the mean of tasks.

    The last column's deviation is that of each seed's mean over the tasks; seeds that lack a task are left out of it.
    A cell says in brackets how many seeds it has, where not all.
    """
    chosen = study[(study["track"] == track) & (study["level"] == level)]
    tasks, seeds = list(dict.fromkeys(chosen["task"])), chosen["seed"].nunique()
    rows = []
    for label in labels:
        of_label = chosen[chosen["label"] == label]
        cells = {task: _cell(of_label.loc[of_label["task"] == task, metric], seeds) for task in tasks}
        by_seed = of_label.pivot_table(index="seed", columns="task", values=metric).reindex(columns=tasks).dropna()
        marked = f"{label} (uses target images)" if of_label["uses_target_images"].any() else label
        rows.append({"method": marked, **cells, MEAN: _cell(by_seed.mean(axis=1), seeds)})
    return pd.DataFrame(rows)


def _cell(values: pd.Series, seeds: int) -> str:
    if len(values) == 0:
        return "–"
    deviation = f" ± {100 * values.std(ddof=1):.1f}" if len(values) > 1 else ""
    number = "" if len(values) == seeds else f" ({len(values)})"
    return f"{100 * values.mean():.1f}{deviation}{number}"


def markdown(table: pd.DataFrame) -> str:
    """Write a table in Markdown."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def study_page(study: pd.DataFrame, title: str, preface: str, labels: Sequence[str]) -> str:
    """Return the page of a study: HTER and AUC by recording, on both tracks, and where the numbers come from."""
    parts = [f"# {title}", preface]
    tracks: tuple[tuple[Track, str], ...] = (
        ("deployable", "Deployable: checkpoint and threshold from source development data"),
        ("oracle", "Oracle: checkpoint and threshold from the target, as most published tables"),
    )
    for track, words in tracks:
        parts.append(f"## {words}")
        for metric, name in (("hter", "HTER %, lower is better"), ("auc", "AUC %, higher is better")):
            parts += [f"**{name}**, by recording", markdown(study_table(study, metric, track, "recording", labels))]
    seeds = ", ".join(map(str, sorted(study["seed"].unique())))
    commits = ", ".join(sorted(study["commit"].unique()))
    parts.append(
        f"Mean ± standard deviation over seeds {seeds}; the same data, batches and order for all methods at a seed. "
        f"Commits: {commits}."
    )
    return "\n\n".join(parts) + "\n"
