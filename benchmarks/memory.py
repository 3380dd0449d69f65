"""Peak memory of a piece of work, in a process of its own (Linux)."""

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.timing import one_thread

PROCESS = Path("/proc/self")


def in_fresh_process(function: Callable[..., float], *arguments: object) -> float:
    """Return what `function` returns in a process that has done nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=one_thread) as pool:
        return pool.submit(function, *arguments).result()


def peak_over_baseline(work: Callable[[], object]) -> float:
    """Return by how many bytes the resident memory rose at most while `work` was done."""
    (PROCESS / "clear_refs").write_text("5")  # forget the peak so far
    baseline = _status("VmRSS")
    work()
    return _status("VmHWM") - baseline


def _status(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", (PROCESS / "status").read_text())
    assert found is not None
    return float(found[1]) * 1024
