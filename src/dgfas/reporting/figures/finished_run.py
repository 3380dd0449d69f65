"""Finished runs as the figures see them: configuration, deployable checkpoint, data, and which runs fit together."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dgfas.benchmark.runner import KEPT
from dgfas.core.config import RunConfig
from dgfas.core.errors import UserError
from dgfas.domains.provider import DomainProvider
from dgfas.evaluation.scores import Scores, scores_of_frames
from dgfas.evaluation.scores_file import read_scores
from dgfas.evaluation.slices import parse_slice, stored_name
from dgfas.evaluation.tasks import Task, file_name
from dgfas.training.configure import provider_of
from dgfas.training.record import read_config, require_same_data
from dgfas.training.run import load_scorer
from dgfas.training.selection import read_operating_point
from dgfas.training.task_data import TaskData, domains_but, load_task


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run with its operating point; `step` is the iteration of the deployable checkpoint."""

    path: Path
    config: RunConfig
    step: int

    @classmethod
    def read(cls, path: Path) -> "FinishedRun":
        """Raises UserError if the folder is not a finished run."""
        step, _ = read_operating_point(path)
        return cls(path, read_config(path), step)

    @property
    def method(self) -> str:
        """The method's name, of a file its stem."""
        return Path(self.config.method).stem

    @property
    def task(self) -> Task:
        """Raises UserError if the run was trained without a target."""
        if self.config.data.target is None:
            raise UserError(f"{self.path}: was trained without a target domain")
        return Task(self.config.data.sources, self.config.data.target, self.config.data.lists)

    def is_on_task_of(self, other: "FinishedRun") -> bool:
        """Whether both have the same target, and the same sources in whatever order."""
        return self.config.data.target is not None and self.task.key == other.task.key

    @property
    def domains(self) -> list[str]:
        """The sources and, last, the target."""
        return [*self.task.sources, self.task.target]

    @property
    def seed(self) -> int:
        return self.config.training.seed

    @property
    def words(self) -> str:
        """Which run this is, for captions."""
        data = self.config.data
        task = "&".join(data.sources) + (f" to {data.target}" if data.target else "")
        row = f"{self.path.parent.name}/" if KEPT in self.path.absolute().parts[-4:-3] else ""  # kept/TASK/ROW/seed-N
        return f"{self.method} (run {row}{self.path.name}: {task}, seed {self.seed}, checkpoint {self.step})"

    @property
    def provider(self) -> DomainProvider:
        """Who named the domains."""
        return provider_of(self.config)

    @cached_property
    def data(self) -> TaskData:
        """All frames of the run's data. Raises UserError if they are gone, or are others than it was trained on."""
        return self._load(self.config.data.target)

    def _load(self, target: str | None) -> TaskData:
        data = load_task(self.config.data, self.config.network.image_size, target)
        require_same_data(self.path, data.facts())
        return data

    def unseen_domains(self) -> list[str]:
        """Return the target and the run's other data sets of which no source is a part."""
        target, others = self.task.target, domains_but(self.task.target, self.config.data.roots)
        seen = {stored_name(parse_slice(source).data_set, others) for source in self.task.sources}
        return [target, *(name for name in others if name not in seen)]

    def target_scores(self, target: str) -> Scores:
        """Return the frame scores of the deployable checkpoint on an unseen domain: the stored ones, if it has some."""
        stored = self.path / "evaluation" / file_name(target) / f"scores-{self.step:07d}.csv"
        if stored.is_file():
            return read_scores(stored)
        data = self._load(target)
        score = load_scorer(self.path, self.step).score_part(data, "target")
        rejected = data.split.rejected["target"]
        return scores_of_frames(data.part("target"), score, rejected, f"{self.path}, {target}, iteration {self.step}")


#: The runs that figures are made from, in the order given.
Runs = Sequence[FinishedRun]


def of_method(runs: Runs, method: str) -> list[FinishedRun]:
    """Return the runs of a method."""
    return [run for run in runs if run.method == method]


def one_a_task(runs: Runs) -> list[FinishedRun]:
    """Return the first run of each task. Raises UserError if none was trained with a target."""
    found: dict[Hashable, FinishedRun] = {}
    for run in runs:
        if run.config.data.target is not None:
            found.setdefault(run.task.key, run)
    if not found:
        raise UserError("needs a run that was trained with a target domain")
    return list(found.values())


def companion(run: FinishedRun, runs: Runs, method: str, fits: Callable[[FinishedRun], bool], what: str) -> FinishedRun:
    """Return the run of `method` on the task of `run` that `fits`, if there are several with the same seed.

    Raises UserError, naming `what` is missing, if there is none.
    """
    same = [other for other in of_method(runs, method) if other.is_on_task_of(run) and fits(other)]
    if not same:
        raise UserError(f"needs {what} on {run.task} beside it")
    return next((other for other in same if other.seed == run.seed), same[0])
