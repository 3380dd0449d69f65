"""The rows of a report: the seeds of each method (or system) on each task."""

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.evaluation.scores import Level
from dgfas.evaluation.tasks import parse_task
from dgfas.evaluation.tracks import Track
from dgfas.reporting.html.measured import Measured
from dgfas.reporting.html.stored import StoredResult
from dgfas.reporting.tables import USES_TARGET


@dataclass(frozen=True)
class Group:
    """One row of the headline: one method (or system) on one task, measured with one seed or more."""

    task: str
    label: str
    members: tuple[Measured, ...]

    @property
    def name(self) -> str:
        return f"{self.label}, {self.task}"

    @property
    def marked(self) -> str:
        """What tables call it: of a method that uses images of the target they say so."""
        adapts = any(member.about.uses_target_images for member in self.members)
        return self.label + (USES_TARGET if adapts else "")

    @property
    def seeds(self) -> list[int | None]:
        return [member.seed for member in self.members]

    def results(self, track: Track, level: Level = "recording") -> list[StoredResult]:
        """Return one track of every seed at one level."""
        return [member.result(track, level) for member in self.members]

    @property
    def independent(self) -> bool:
        """Whether every seed was measured on recordings of its own."""
        return len({member.test_set for member in self.members}) == len(self.members)


def grouped(measured: Sequence[Measured]) -> list[Group]:
    """Gather the seeds of each method on each task; tasks and methods keep the order in which they come first.

    Of results of one label that differ in more than the seed (as far as both tell it), each is called by its folder
    too, or by what differs. A task is the same in whatever order its sources are written. Raises UserError if a seed
    comes twice.
    """
    kinds: list[list[Measured]] = []
    for item in measured:
        same = next((kind for kind in kinds if not _differ(kind[0], item)), None)
        if same is None:
            kinds.append([item])
        else:
            same.append(item)
    names = [_name(kind, kinds) for kind in kinds]
    tasks: dict[Hashable, str] = {}
    for item in measured:
        tasks.setdefault(_domains(item.task), item.task)
    groups = []
    for domains, task in tasks.items():
        for name, kind in zip(names, kinds, strict=True):
            members = [item for item in kind if _domains(item.task) == domains]
            if members:
                groups.append(Group(task, name, tuple(_by_seed(members))))
    return groups


def _differ(one: Measured, other: Measured) -> bool:
    return any(other.settings.get(key, value) != value for key, value in one.settings.items())


def _domains(task: str) -> Hashable:
    """Return what two tasks share that differ in the order of their sources alone."""
    try:
        return parse_task(task).key
    except UserError:  # scores of others without development data, or of several domains
        return task


def _by_seed(items: Iterable[Measured]) -> list[Measured]:
    found = sorted(items, key=lambda item: -1 if item.seed is None else item.seed)
    for first, second in pairwise(found):
        if first.seed == second.seed:
            seed = "" if first.seed is None else f" with seed {first.seed}"
            raise UserError(
                f"{second.path}: is {second.label} on {second.task}{seed} again, after {first.path}; leave one out"
            )
        if first.result("deployable").roc.fpr != second.result("deployable").roc.fpr:
            raise UserError(f"{second.path}: roc.fpr is not that of {first.path}; measure both by one version of dgfas")
    return found


def _name(kind: list[Measured], kinds: list[list[Measured]]) -> str:
    """Return the label of a kind and, if others have it too, the first words that tell them all apart."""
    label = kind[0].label
    rivals = [other[0] for other in kinds if other[0].label == label]
    if len(rivals) == 1:
        return label
    names = next(names for names in _words(rivals) if len(set(names)) == len(names))
    return f"{label} ({names[rivals.index(kind[0])]})"


def _words(rivals: list[Measured]) -> Iterator[list[str]]:
    """Yield words for each, ever longer: the end of its folder's path, the settings in which they differ, its file."""
    paths = [Path(os.path.abspath(item.folder)).parts for item in rivals]
    for depth in range(1, max(map(len, paths)) + 1):
        yield [str(Path(*parts[-depth:])) for parts in paths]
    keys = dict.fromkeys(key for item in rivals for key in item.settings)
    told = [key for key in keys if len({str(item.settings.get(key)) for item in rivals}) > 1]
    for number in range(1, len(told) + 1):
        yield [", ".join(f"{key} {item.settings.get(key)}" for key in told[:number]) for item in rivals]
    yield [str(item.path) for item in rivals]
