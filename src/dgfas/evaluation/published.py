"""What the five papers print, as data with its source: to be shown beside our numbers, never mixed with them."""

from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal

from pydantic import Field

from dgfas.core.config import Strict, read_yaml, validated
from dgfas.core.errors import UserError
from dgfas.evaluation.slices import data_set_of
from dgfas.evaluation.tasks import parse_task

PUBLISHED = Path(__file__).with_name("published.yaml")

Metric = Literal["hter", "auc", "hter_deviation", "auc_deviation"]


class Doubt(Strict):
    """A cell that other papers contradict."""

    row: str
    task: str
    metric: Metric
    why: str


class Table(Strict):
    """A table as the paper prints it, in percent; `rows` hold the metrics of one task after those of the other."""

    paper: str
    where: str
    about: str
    ours: str | None = None  # the label of the row "Ours"
    tasks: tuple[str, ...]
    metrics: tuple[Metric, ...]
    labels: dict[str, str] = Field(default_factory=dict)
    rows: dict[str, tuple[float | None, ...]]
    doubts: tuple[Doubt, ...] = ()


class Published(Strict):
    """All tables, and our labels of the methods in them."""

    names: dict[str, tuple[str, ...]]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class PublishedValue:
    """A number that a paper prints, in percent. `doubt` says why it may be wrong, if it may."""

    paper: str
    where: str
    method: str  # as printed
    label: str  # ours
    task: str
    metric: Metric
    percent: float
    doubt: str | None

    @property
    def source(self) -> str:
        """The paper and the place in it."""
        return f"{self.paper} {self.where}"

    @property
    def is_the_authors_own(self) -> bool:
        """Whether the paper's authors measured it themselves, rather than quoted it."""
        return self.label.split("-")[0] == self.paper.lower().replace("-", "_")


@cache
def published_tables() -> Published:
    """Return the tables of the papers. Raises UserError if a row is not as long as its columns, or has no label."""
    found = validated(Published, read_yaml(PUBLISHED), PUBLISHED.name)
    for table in found.tables:
        for row, cells in table.rows.items():
            if len(cells) != len(table.tasks) * len(table.metrics):
                raise UserError(f"{PUBLISHED.name}: {table.paper} {table.where}: row {row!r} has {len(cells)} cells")
    return found


@cache
def published_values() -> tuple[PublishedValue, ...]:
    """Return every printed number, in the order of the papers and tables."""
    found = published_tables()
    labels = {name: label for label, names in found.names.items() for name in names}
    values = []
    for table in found.tables:
        own_labels = labels | table.labels | ({} if table.ours is None else {"Ours": table.ours})
        doubts = {(doubt.row, doubt.task, doubt.metric): doubt.why for doubt in table.doubts}
        for row, cells in table.rows.items():
            for (task, metric), cell in zip(product(table.tasks, table.metrics), cells, strict=True):
                if cell is not None:
                    why = doubts.get((row, task, metric))
                    place = (table.paper, table.where, row, own_labels[row], task)
                    values.append(PublishedValue(*place, metric, cell, why))
    return tuple(values)


def values_of(label: str, task: str, metric: Metric) -> list[PublishedValue]:
    """Return the different numbers that are printed for a method on a task; the authors' own first.

    A number that another only cuts off or rounds is the same. `task` may name the data sets by letter or in full, in
    any order, or be the name of a protocol whose mean is printed.
    """
    wanted = _task_key(task)
    found = [
        value
        for value in published_values()
        if value.label == label and value.metric == metric and _task_key(value.task) == wanted
    ]
    found.sort(key=lambda value: (not value.is_the_authors_own, value.doubt is not None))
    different: list[PublishedValue] = []
    for value in found:
        if not any(abs(value.percent - other.percent) < 0.1 for other in different):
            different.append(value)
    return different


def same_data(task: str, paper_task: str) -> bool:
    """Whether a task of ours names the data sets of a paper's task; which recordings of them is another question."""
    return _task_key(task) == _task_key(paper_task)


def _task_key(text: str) -> object:
    if " to " not in text:
        return text
    task = parse_task(text)
    return frozenset(map(data_set_of, task.sources)), data_set_of(task.target), "[" in text
