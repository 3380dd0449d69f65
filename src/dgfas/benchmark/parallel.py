"""Several pieces of work in processes of one thread each, with their progress shown here."""

import multiprocessing
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from dgfas.core.progress import Silent

_updates: Any = None  # the queue to the parent, in a worker


class _Forwarding(Silent):
    """Sends what a piece of work reports to the parent process, under the work's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def note(self, text: str) -> None:
        _updates.put((f"{self.name}: {text}",))

    def progress(self, name: str, done: int, total: int) -> None:
        _updates.put((f"{self.name}: {name}", done, total))


def run_in_parallel(
    work: Callable[..., Any], jobs: Sequence[tuple[str, tuple[Any, ...]]], processes: int, report: Silent
) -> list[Any]:
    """Call `work(*arguments, reporter)` for each (name, arguments) in `processes` fresh processes; return the results.

    `work` must be a function of a module. The first failure is raised when all have ended.
    """
    context = multiprocessing.get_context("spawn")
    updates = context.Queue()
    with ProcessPoolExecutor(processes, context, _start, (updates,)) as pool:
        futures = [pool.submit(_call, work, name, arguments) for name, arguments in jobs]
        while not all(future.done() for future in futures):
            _show(updates, report, wait_seconds=0.2)
        _show(updates, report, wait_seconds=0)
    return [future.result() for future in futures]


def _start(updates: Any) -> None:
    global _updates
    _updates = updates


def _call(work: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    return work(*arguments, _Forwarding(name))


def _show(updates: Any, report: Silent, wait_seconds: float) -> None:
    try:
        while True:
            update = updates.get(timeout=wait_seconds)
            report.note(*update) if len(update) == 1 else report.progress(*update)
    except queue.Empty:
        pass
