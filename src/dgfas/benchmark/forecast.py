"""How long the trainings of a study will take: by those that are done, else by counted operations and stated costs."""

from collections.abc import Sequence
from pathlib import Path

from dgfas.benchmark.runner import result_path, waiting_jobs
from dgfas.benchmark.study import Entry, Training
from dgfas.core.config import NetworkConfig, Strict, TrainingConfig, merge, parse_assignments, read_yaml, setting_values
from dgfas.core.files import read_json
from dgfas.evaluation.tasks import parse_task
from dgfas.training.estimate import encoder_flops, in_words


class Costs(Strict):
    """The file costs.yaml."""

    seconds_per_iteration: float
    relative: dict[str, float]
    seconds_around: float


COSTS = Costs(**read_yaml(Path(__file__).with_name("costs.yaml")))
Kind = tuple[str, int]  # the row of the table, and the number of sources


class Forecast:
    """The trainings that wait, and what is known of how long each takes."""

    def __init__(self, jobs: Sequence[Training], results: Path, at_once: int, tflops: float | None = None) -> None:
        """Read the seconds of the jobs that have a result in folder `results`; `at_once` run beside each other.

        Before any has finished the machine is taken to sustain `tflops` * 10^12 operations a second in all, e.g. of its
        GPU; None: at each job what one core of the benchmarks' machine does.
        """
        self.tflops = tflops
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
        stated = self._stated(job)
        return stated and stated * (_mean(self.ratios) if self.ratios else 1)

    def __str__(self) -> str:
        expected = {job.name: self.seconds(job) for job in self.waiting.values()}
        unknown = {job.entry.label: None for job in self.waiting.values() if expected[job.name] is None}
        known = [seconds for seconds in expected.values() if seconds is not None]
        text = f"{len(self.waiting)} trainings to do, {self.at_once} at once: "
        if unknown and not known:
            return text + f"how long is not known, for none of {', '.join(unknown)} has finished"
        duration = in_words(max(sum(known) / self.at_once, *known, 0))
        finished = sum(map(len, self.measured.values()))
        source = f"by {finished} finished ones" if finished else self._basis()
        without = f"; without {', '.join(unknown)}, of which none has finished" if unknown else ""
        return text + f"about {duration}, {source}{without}"

    def _basis(self) -> str:
        if self.tflops is None:
            return "by the stated cost of an iteration (benchmark/costs.yaml)"
        operations = sum(stated_flops(job) or 0 for job in self.waiting.values())
        return (
            f"an estimate: {operations:.2g} counted floating-point operations at {self.tflops:g} TFLOP/s, which is "
            "assumed, not measured; scoring is left out"
        )

    def _stated(self, job: Training) -> float | None:
        if self.tflops is None:
            return stated_seconds(job)
        operations = stated_flops(job)
        return operations and operations * self.at_once / (self.tflops * 1e12)

    def _add(self, job: Training, seconds: float) -> None:
        self.measured.setdefault(kind_of(job), []).append(seconds)
        stated = self._stated(job)
        if stated is not None:
            self.ratios.append(seconds / stated)


def kind_of(job: Training) -> Kind:
    """Return what trainings of about the same duration share."""
    return job.entry.label, len(parse_task(job.task).sources)


def stated_seconds(job: Training) -> float | None:
    """Return how long a job takes on one core by costs.yaml, scaled to its networks and batches; None if unknown."""
    operations = stated_flops(job)
    return operations and COSTS.seconds_around + operations / core_flops_per_second()


def stated_flops(job: Training) -> float | None:
    """Return the floating-point operations of a job's iterations: counted for the encoder, times its method's cost.

    An update of `binary_cnn` is three forwards, because the backward pass counts as two; another method's is that times
    its relative time of an iteration in costs.yaml. None for a method that is not in there.
    """
    if job.entry.method not in COSTS.relative:
        return None
    network, training = _size(job.setting, job.entry)
    iterations = job.iterations or training.iterations
    frames = 2 * training.batch_per_class * len(parse_task(job.task).sources)
    return 3 * encoder_flops(network) * frames * iterations * COSTS.relative[job.entry.method]


def core_flops_per_second() -> float:
    """Return what one core does in a second, by the seconds that costs.yaml states for `small` and three sources."""
    network, training = _size("small", Entry(label="any", method="any"))
    return 3 * encoder_flops(network) * 2 * training.batch_per_class * 3 / COSTS.seconds_per_iteration


def _size(setting: str, entry: Entry) -> tuple[NetworkConfig, TrainingConfig]:
    values = merge(setting_values(setting), parse_assignments(entry.assignments))
    return NetworkConfig(**values["network"]), TrainingConfig(**values["training"])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
