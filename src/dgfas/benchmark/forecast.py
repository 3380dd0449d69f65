"""How long the trainings of a study will take: by those that are done, else by what an iteration of a method costs."""

from collections.abc import Sequence
from pathlib import Path

from dgfas.benchmark.runner import result_path, waiting_jobs
from dgfas.benchmark.study import Entry, Training
from dgfas.core.config import NetworkConfig, Strict, TrainingConfig, merge, parse_assignments, read_yaml, setting_values
from dgfas.evaluation.tasks import parse_task
from dgfas.training.estimate import encoder_flops, in_words
from dgfas.training.record import read_json


class Costs(Strict):
    """The file costs.yaml."""

    seconds_per_iteration: float
    relative: dict[str, float]
    seconds_around: float


COSTS = Costs(**read_yaml(Path(__file__).with_name("costs.yaml")))
Kind = tuple[str, int]  # the row of the table, and the number of sources


class Forecast:
    """The trainings that wait, and what is known of how long each takes."""

    def __init__(self, jobs: Sequence[Training], results: Path, at_once: int) -> None:
        """Read the seconds of the jobs that have a result in folder `results`; `at_once` run beside each other."""
        self.waiting = {job.name: job for job in waiting_jobs(jobs, results)}
        self.at_once = at_once
        self.measured: dict[Kind, list[float]] = {}
        self.ratios: list[float] = []  # measured over stated
        for job in jobs:
            if job.name not in self.waiting:
                self._add(job, read_json(result_path(results, job), "made_by")["made_by"]["seconds"])

    def done(self, job: Training, seconds: float) -> str | None:
        """Take that a job is done; return a new forecast if it is the first of its kind."""
        self.waiting.pop(job.name)
        is_first = kind_of(job) not in self.measured
        self._add(job, seconds)
        return str(self) if is_first and self.waiting else None

    def seconds(self, job: Training) -> float | None:
        """Return how long a job is expected to take; None if nothing is known of its method."""
        if kind_of(job) in self.measured:
            return _mean(self.measured[kind_of(job)])
        stated = stated_seconds(job)
        return stated and stated * (_mean(self.ratios) if self.ratios else 1)

    def __str__(self) -> str:
        expected = {job.name: self.seconds(job) for job in self.waiting.values()}
        unknown = {job.entry.label: None for job in self.waiting.values() if expected[job.name] is None}
        known = [seconds for seconds in expected.values() if seconds is not None]
        duration = in_words(max(sum(known) / self.at_once, *known, 0))
        finished = sum(map(len, self.measured.values()))
        source = (
            f"by {finished} finished ones" if finished else "by the stated cost of an iteration (benchmark/costs.yaml)"
        )
        text = f"{len(self.waiting)} trainings to do, {self.at_once} at once: about {duration}, {source}"
        return text + (f"; without {', '.join(unknown)}, of which none has finished" if unknown else "")

    def _add(self, job: Training, seconds: float) -> None:
        self.measured.setdefault(kind_of(job), []).append(seconds)
        stated = stated_seconds(job)
        if stated is not None:
            self.ratios.append(seconds / stated)


def kind_of(job: Training) -> Kind:
    """Return what trainings of about the same duration share."""
    return job.entry.label, len(parse_task(job.task).sources)


def stated_seconds(job: Training) -> float | None:
    """Return how long a job takes on one core by costs.yaml, scaled to its networks and batches; None if unknown."""
    if job.entry.method not in COSTS.relative:
        return None
    network, training = _size(job.setting, job.entry)
    small_network, small = _size("small", Entry(label="any", method="any"))
    work = encoder_flops(network) * training.batch_per_class * len(parse_task(job.task).sources)
    scale = work / (encoder_flops(small_network) * small.batch_per_class * 3)
    iterations = job.iterations or training.iterations
    return COSTS.seconds_around + iterations * COSTS.seconds_per_iteration * COSTS.relative[job.entry.method] * scale


def _size(setting: str, entry: Entry) -> tuple[NetworkConfig, TrainingConfig]:
    values = merge(setting_values(setting), parse_assignments(entry.assignments))
    return NetworkConfig(**values["network"]), TrainingConfig(**values["training"])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
