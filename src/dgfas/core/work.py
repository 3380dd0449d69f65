"""Pieces of work that are done at the same time: what is asked, what is answered, and by whom."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dgfas.core.progress import Silent

#: A name and the arguments of one piece of work.
Call = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Answer:
    """What became of the call of this number: its result, or why there is none."""

    number: int
    result: Any = None
    error: Exception | None = None


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Died(RuntimeError):
    """The process or the machine that did a piece of work has died."""


class Executor(Protocol):
    """Where work is done, `at_once` pieces of it: `benchmark.parallel.Processes` or `benchmark.cluster.Cluster`."""

    @property
    def at_once(self) -> int: ...

    def answers(self, work: Callable[..., Any], calls: Sequence[Call], report: Silent) -> Iterator[Answer]:
        """Call `work(*arguments, reporter)` for each (name, arguments); yield each answer once, as they come."""
        ...
