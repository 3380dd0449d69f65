"""A result file as the report reads it; what it does not use may stand beside it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat

from dgfas.core.config import OneOrMore
from dgfas.evaluation.scores import Level
from dgfas.evaluation.tracks import Track

FiniteInterval = tuple[FiniteFloat, FiniteFloat]


class Stored(BaseModel):
    """Part of a result on disk."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StoredRate(Stored):
    """See `measurement.Rate`."""

    share: FiniteFloat
    errors: int
    total: int
    interval: FiniteInterval | None


class StoredThreshold(Stored):
    """See `thresholds.Threshold`."""

    value: FiniteFloat
    rule: str
    data: str


class StoredIntervals(Stored):
    """See `intervals.BootstrapIntervals`."""

    hter: FiniteInterval | None
    auc: FiniteInterval | None
    persons: int
    exact: tuple[str, ...] = ()


class SpeciesCount(Stored):
    """See `Scores.counts`."""

    subjects: int
    rows: int
    unanswered: int


class RocPoints(Stored):
    """Shares of live accepted at fixed shares of spoof accepted."""

    fpr: tuple[FiniteFloat, ...]
    tpr: tuple[FiniteFloat, ...]


class StoredResult(Stored):
    """One track at one level: see `tracks.TrackResult.to_dict`; rates are shares in [0, 1]."""

    track: Track
    level: Level
    checkpoint: int | None
    selection: str
    candidates: int
    threshold: StoredThreshold
    hter: FiniteFloat
    auc: FiniteFloat
    eer: FiniteFloat
    bpcer_at_apcer: dict[str, FiniteFloat]
    apcer: dict[str, StoredRate]
    bpcer: StoredRate
    apnrr: FiniteFloat
    bpnrr: FiniteFloat
    bootstrap: StoredIntervals
    species: dict[str, SpeciesCount] = {}
    recordings_hash: str
    roc: RocPoints


class Job(Stored):
    """What a benchmark asked for: one training."""

    class Entry(Stored):
        label: str
        method: str
        preset: str = "default"
        assignments: tuple[str, ...] = ()

    entry: Entry
    task: str
    seed: int
    data: OneOrMore[str] = ()  # one path in older results
    subjects: int | None = None
    setting: str | None = None
    iterations: int | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """The data sets as a command names them: the name alone of one that is drawn, which may lie anywhere."""
        return tuple(Path(path).name for path in self.data) if self.subjects else self.data

    @property
    def common(self) -> tuple[object, ...]:
        """What all trainings of one command have in common; the order of the data sets is each task's own."""
        return frozenset(self.folders), self.subjects, self.setting, self.iterations


class StoredEvaluation(Stored):
    """A result file: see `tracks.Evaluation.to_dict`; a benchmark's also says which job it was and who made it."""

    title: str
    dgfas: str
    about: dict[str, Any]
    results: tuple[StoredResult, ...]
    job: Job | None = None
    made_by: dict[str, Any] = {}
