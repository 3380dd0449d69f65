"""Timing on a shared machine: contenders take turns within a round, and processor time stands beside wall time."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import cv2
import torch
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Seconds:
    """How long something took: on the clock, and of processor time of this process (all threads)."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """The middle of several rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float
    rounds: int


def spread(values: Iterable[float]) -> Spread:
    """Return median, lowest and highest of the rounds' values."""
    known = list(values)
    return Spread(statistics.median(known), min(known), max(known), len(known))


def one_thread() -> None:
    """Let every library compute in one thread, so that processor time is the time on one core."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    threadpool_limits(1)


def seconds(work: Callable[[], object]) -> Seconds:
    """Do `work` once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu)


class OwnProcess:
    """A contender in a fresh process of one thread, so that no other's memory is in its way; leave it by `with`."""

    def __init__(self, prepare: Callable[..., Callable[[], Any]], *arguments: Any) -> None:
        """`prepare(*arguments)` is called in the process and returns the work."""
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _take_work, (prepare, arguments))

    def __call__(self) -> Any:
        """Do the work once; return what it returns."""
        return self._pool.submit(_do_work).result()

    def seconds(self) -> Seconds:
        """Do the work once; return how long it took in the process."""
        return self._pool.submit(_time_work).result()

    def __enter__(self) -> "OwnProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


_work: Callable[[], Any]  # of this process, when it is one of `OwnProcess`


def _take_work(prepare: Callable[..., Callable[[], Any]], arguments: tuple[Any, ...]) -> None:
    global _work
    one_thread()
    _work = prepare(*arguments)


def _do_work() -> Any:
    return _work()


def _time_work() -> Seconds:
    return seconds(_work)


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int, warm_up: bool = True
) -> dict[str, list[Seconds]]:
    """Time every contender once a round, the order turned round from each round to the next.

    With `warm_up` all are done once before, untimed.
    """
    if warm_up:
        for work in contenders.values():
            work()
    times: dict[str, list[Seconds]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            work = contenders[name]
            times[name].append(work.seconds() if isinstance(work, OwnProcess) else seconds(work))
    return times


def ratio(numerator: list[Seconds], denominator: list[Seconds], clock: str = "cpu") -> Spread:
    """Return how many times as long the numerator took, round by round."""
    pairs = zip(numerator, denominator, strict=True)
    return spread(getattr(above, clock) / getattr(below, clock) for above, below in pairs)


def rate(count: int, times: list[Seconds], clock: str = "cpu") -> Spread:
    """Return how many of `count` things were done a second, round by round."""
    return spread(count / getattr(each, clock) for each in times)
