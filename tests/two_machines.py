"""A Ray cluster of two machines that are played by this one, so that a test can lose the second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


@contextmanager
def two_machines(monkeypatch: pytest.MonkeyPatch, test_file: str) -> Iterator[tuple[Any, Any]]:
    """Start two machines of one CPU that can import `test_file`; yield the cluster and the machine to lose."""
    from ray.cluster_utils import Cluster

    paths = [str(Path(test_file).parent), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    machines = Cluster()
    try:
        machines.add_node(**SMALL)
        yield machines, machines.add_node(**SMALL)
    finally:
        machines.shutdown()


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
