"""Studies as YAML files: those of the package by name, one's own by path."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from dgfas.benchmark.study import Entry
from dgfas.core.config import Strict, read_yaml, validated
from dgfas.core.errors import UserError, nearest
from dgfas.core.files import read_json
from dgfas.methods.registry import method_names

FOLDER = Path(__file__).with_name("studies")
MOST_SEEDS = 1000  # of one study


class Study(Strict):
    """What a study trains, and on what. `learned_methods` puts a row for every learned method before `entries`."""

    title: str
    tasks: tuple[str, ...] = Field(min_length=1)  # protocols or tasks, see evaluation/protocols.py
    seeds: int = Field(ge=1, le=MOST_SEEDS)  # 1 to this number
    setting: str = "small"
    iterations: int | None = Field(default=None, ge=1)  # of each training; None takes the setting's
    rates: Path | None = None  # JSON of learning rates by method, found beside the study
    learned_methods: bool = False
    baseline: str | None = None  # the label that the others are compared with; None takes the first
    entries: tuple[Entry, ...] = ()

    @property
    def rows(self) -> list[Entry]:
        """Return the rows of the study's table. Raises UserError if there are none, or two of one label."""
        learned = method_names() if self.learned_methods else []
        return checked([*plain_entries(learned), *self.entries])


class Rates(BaseModel):
    """What is needed here of the file that `dgfas benchmark --tune` writes."""

    learning_rates: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]


def study_names() -> list[str]:
    """Return the names of the studies that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_study(name: str) -> Study:
    """Read a study by its name, or by the path of a YAML file. Raises UserError if there is none, or a wrong key."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
    elif name in study_names():
        path = FOLDER / f"{name}.yaml"
    else:
        raise UserError(f"unknown study {name!r}; {nearest(name, study_names())}")
    study = validated(Study, read_yaml(path), str(path))
    labels = [entry.label for entry in study.rows]
    if study.baseline not in (None, *labels):
        raise UserError(f"{path}: baseline {study.baseline!r} is no row; {nearest(str(study.baseline), labels)}")
    return study if study.rates is None else study.model_copy(update={"rates": path.parent / study.rates})


def plain_entries(methods: Iterable[str]) -> list[Entry]:
    """Return a row a method, given by name or by the path of its file, with its default preset."""
    return [validated(Entry, {"label": Path(method).stem, "method": method}, f"method {method}") for method in methods]


def read_rates(path: Path | None) -> dict[str, float]:
    """Return learning rates by method from a file that `dgfas benchmark --tune` wrote; none without a file."""
    return {} if path is None else validated(Rates, read_json(path, "learning_rates"), str(path)).learning_rates


def changed_rows(rows: Iterable[Entry], rates: Mapping[str, float], assignments: Sequence[str]) -> list[Entry]:
    """Return rows that train with their method's rate, where there is one and they set none, and with `assignments`."""
    return [
        entry.model_copy(update={"assignments": (*_rate(rates, entry.method), *entry.assignments, *assignments)})
        for entry in rows
    ]


def tuned_rows(rows: Iterable[Entry], rates: Sequence[str]) -> list[Entry]:
    """Return each row once with each learning rate. Raises UserError for a rate that is none, or comes twice."""
    for rate in rates:
        if not _is_rate(rate):
            raise UserError(f"--tune {rate!r}: write numbers above 0 with commas, such as 3e-4,1e-3")
    return checked(
        [
            entry.model_copy(
                update={
                    "label": f"{entry.label}@{rate}",
                    "assignments": (*entry.assignments, f"options.learning_rate={rate}"),
                }
            )
            for entry in rows
            for rate in rates
        ]
    )


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _rate(rates: Mapping[str, float], method: str) -> list[str]:
    return [f"options.learning_rate={rates[method]}"] if method in rates else []


def checked(entries: list[Entry]) -> list[Entry]:
    """Return `entries`. Raises UserError if there are none, or if two have one label."""
    labels = [entry.label for entry in entries]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UserError(f"label {twice[0]!r} comes twice; give each row a label of its own")
    if not entries:
        raise UserError("no method is named")
    return entries
