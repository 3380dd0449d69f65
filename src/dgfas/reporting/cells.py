"""The cells of a study's tables: mean, deviation and interval over seeds, of rows as `read_study` returns them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dgfas.evaluation.intervals import Interval
from dgfas.evaluation.seeds import interval_of_mean
from dgfas.evaluation.slices import parse_slice
from dgfas.evaluation.tasks import parse_task


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
    measured on the same target, whatever they were trained on.
    """
    if rows.empty:
        return None
    by_seed = rows.groupby("seed")
    values = by_seed[metric].mean()
    same_persons = rows.groupby("task")["persons"].nunique().max() == 1
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
