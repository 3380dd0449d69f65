"""A result file as the report reads it; what it does not use may stand beside it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from dgfas.core.config import Lists, OneOrMore, SelectionRule
from dgfas.core.errors import UserError
from dgfas.evaluation.measurement import APCER_LEVELS
from dgfas.evaluation.parts import Part
from dgfas.evaluation.scores import Level, ScoreRange
from dgfas.evaluation.tasks import parse_task
from dgfas.evaluation.tracks import Track


def _parsed(task: str) -> str:
    try:
        parse_task(task)
    except UserError as error:
        raise ValueError(str(error)) from error
    return task


# Strict: what reads the file as it is must not find texts where these models made numbers of them.
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]
Some = Annotated[int, Field(ge=1, strict=True)]
Limits = tuple[Share, Share]
TaskText = Annotated[str, AfterValidator(_parsed)]


class Stored(BaseModel):
    """Part of a result on disk."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StoredRate(Stored):
    """See `measurement.Rate`."""

    share: Share
    errors: Count
    total: Some
    interval: Limits | None

    @model_validator(mode="after")
    def _no_more_errors_than_presentations(self) -> "StoredRate":
        if self.errors > self.total:
            raise ValueError(f"{self.errors} errors of {self.total} presentations")
        return self


class StoredThreshold(Stored):
    """See `thresholds.Threshold`."""

    value: Finite
    rule: str
    data: str

    @property
    def option(self) -> str:
        """The rule as `--threshold` takes it; the value of one that it does not take."""
        name, _, level = self.rule.partition(" <= ")
        options = {"EER": "eer", "BPCER": f"bpcer={level}", "APCER of the worst species": f"apcer={level}"}
        return options.get(name, f"fixed={self.value}")


class StoredIntervals(Stored):
    """See `intervals.BootstrapIntervals`."""

    hter: Limits | None
    auc: Limits | None
    persons: Some
    exact: tuple[str, ...] = ()


class SpeciesCount(Stored):
    """See `Scores.counts`."""

    subjects: Count
    rows: Some
    unanswered: Count


class RocPoints(Stored):
    """Shares of live accepted at fixed shares of spoof accepted."""

    fpr: tuple[Share, ...]
    tpr: tuple[Share, ...]

    @model_validator(mode="after")
    def _as_many(self) -> "RocPoints":
        numbers = len(self.fpr), len(self.tpr)
        if not self.fpr or len(set(numbers)) > 1:
            raise ValueError("fpr and tpr must have the same number of points, not {} and {}".format(*numbers))
        return self


def _with_all_levels(shares: dict[str, float]) -> dict[str, float]:
    if lacking := [f"{level:g}" for level in APCER_LEVELS if f"{level:g}" not in shares]:
        raise ValueError(f"has nothing at {', '.join(lacking)}")
    return shares


class StoredResult(Stored):
    """One track at one level: see `tracks.TrackResult.to_dict`; rates are shares in [0, 1]."""

    track: Track
    level: Level
    checkpoint: Count | None
    selection: str
    candidates: Count
    threshold: StoredThreshold
    hter: Share
    auc: Share
    eer: Share
    bpcer_at_apcer: Annotated[dict[str, Share], AfterValidator(_with_all_levels)]
    apcer: dict[str, StoredRate] = Field(min_length=1)
    bpcer: StoredRate
    apnrr: Share
    bpnrr: Share
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
    seed: Count
    data: OneOrMore[str] = ()  # one path in older results
    subjects: Count | None = None
    setting: str | None = None
    iterations: Count | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """The data sets as a command names them: the name alone of one that is drawn, which may lie anywhere."""
        return tuple(Path(path).name for path in self.data) if self.subjects else self.data

    @property
    def common(self) -> tuple[object, ...]:
        """What all trainings of one command have in common; the order of the data sets is each task's own."""
        return frozenset(self.folders), self.subjects, self.setting, self.iterations


class MadeBy(Stored):
    """How a benchmark's result was made."""

    commit: str | None = None
    seconds: Finite | None = None


class StoredConfig(Stored):
    """What a report needs of the resolved configuration of a run: see `config.RunConfig`."""

    class Data(Stored):
        lists: Lists
        roots: tuple[str, ...] = ()

    class Training(Stored):
        seed: Count

    method: str
    preset: str = "default"
    data: Data
    training: Training
    selection: SelectionRule = "source_validation"
    threshold: str = "eer"


class Recordings(Stored):
    """How many recordings of one class a part of a task has, with a face or rejected for a reason."""

    part: Part
    domain: str
    label: str = Field(alias="class")
    recordings: Count
    reason: str = ""


class About(Stored):
    """Of what and on what the results are; a system of others, or a caller in Python, may say nothing of it."""

    system: str | None = None
    task: str | None = None
    target: str | None = None
    config: StoredConfig | None = None
    threshold: str | None = None
    score_range: ScoreRange = "unit"
    files: dict[str, str] = Field(default={}, min_length=1, max_length=2)  # target, development: their hashes
    manifests: dict[str, str] = {}
    data_sets: dict[str, dict[str, Any]] = {}
    recordings: tuple[Recordings, ...] = ()
    rejected: tuple[Recordings, ...] = ()
    weights: dict[str, str] = {}
    uses_target_images: StrictBool = False


class AboutRun(About):
    """Of what and on what the results of a run of ours are: see `evaluate.evaluate_run`."""

    task: TaskText
    target: str
    config: StoredConfig
    uses_target_images: StrictBool


class StoredEvaluation(Stored):
    """A result file: see `tracks.Evaluation.to_dict`; a benchmark's also says which job it was and who made it."""

    title: str
    dgfas: str
    about: About
    results: tuple[StoredResult, ...]
    job: Job | None = None
    made_by: MadeBy = MadeBy()


class StoredEvaluationOfRun(StoredEvaluation):
    """The result file of a run of ours."""

    about: AboutRun


def model_of(content: dict[str, Any]) -> type[StoredEvaluation]:
    """Return what a result file must hold: more, if it is of a run of ours."""
    about = content["about"]
    of_run = content.get("job") is not None or (isinstance(about, dict) and not {"config", "run"}.isdisjoint(about))
    return StoredEvaluationOfRun if of_run else StoredEvaluation
