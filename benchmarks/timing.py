"""Timing on a shared machine: contenders take turns within a round, and processor time stands beside wall time."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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
            times[name].append(seconds(contenders[name]))
    return times


def ratio(numerator: list[Seconds], denominator: list[Seconds], clock: str = "cpu") -> Spread:
    """Return how many times as long the numerator took, round by round."""
    pairs = zip(numerator, denominator, strict=True)
    return spread(getattr(above, clock) / getattr(below, clock) for above, below in pairs)


def rate(count: int, times: list[Seconds], clock: str = "cpu") -> Spread:
    """Return how many of `count` things were done a second, round by round."""
    return spread(count / getattr(each, clock) for each in times)
