"""Jobs on a Ray cluster: one that is started here, or one that runs already. Needs the extra `cluster`."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dgfas.benchmark.parallel import attempt
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.core.work import Answer, Call, Died

RESTARTS = 2  # of a job whose process or machine died; at the next death it has failed
ADDRESS_SECONDS = 5.0  # for something to answer at an address
HEALTH_SECONDS = 30.0  # for it to say that it is a cluster
#: For the objects of a cluster that is started here: results are small, and so is /dev/shm in a container.
OBJECT_STORE_BYTES = 100 * 2**20


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that this process has joined; each job takes one CPU and `gpus_per_job` GPUs of it."""

    gpus_per_job: float
    at_once: int  # jobs that it takes at once

    def answers(self, work: Callable[..., Any], calls: Sequence[Call], report: Silent) -> Iterator[Answer]:
        """Call `work(*arguments, reporter)` for each (name, arguments) on the cluster; yield answers as they come.

        `work` must be a function of a module that the machines have. A call whose process or machine dies is made
        again, RESTARTS times at most; each gets one answer. Notes of a call are shown when it has ended.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        remote = ray.remote(num_cpus=1, num_gpus=self.gpus_per_job, max_retries=0)(_call)
        running = {remote.remote(work, arguments): (number, 0) for number, (_, arguments) in enumerate(calls)}
        while running:
            [ended], _ = ray.wait(list(running))
            number, deaths = running.pop(ended)
            name, arguments = calls[number]
            try:
                result, error, notes = ray.get(ended)
            except RayTaskError as fault:  # the machine lacks what the work is made of
                last_line = str(fault).strip().rpartition("\n")[2]
                mistake = f"its machine could not begin it ({last_line}); every machine needs the same version of dgfas"
                yield Answer(number, error=UserError(mistake))
                continue
            except RayError as death:
                reason = f"its process or machine died ({type(death).__name__})"
                if deaths < RESTARTS:
                    report.note(f"again: {name}: {reason}")
                    running[remote.remote(work, arguments)] = (number, deaths + 1)
                else:
                    yield Answer(number, error=Died(f"{reason}, {deaths + 1} times"))
                continue
            for note in notes:
                report.note(f"{name}: {note}")
            yield Answer(number, result, error)


@contextmanager
def joined(address: str | None, processes: int, gpus_per_job: float) -> Iterator[Cluster]:
    """Join the Ray cluster at `address` (HOST:PORT) for as long as the block lasts.

    None starts one of `processes` CPUs on this machine, and stops it at the end. Raises UserError if Ray is not
    installed, if no cluster answers, or if it has not the CPU and the GPUs of one job.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError('running on Ray needs ray: pip install "dgfas[cluster]"') from error

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent out
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        own: dict[str, Any] = {
            "num_cpus": processes,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
        ray.init(address="local", **own, **quiet)
    else:
        _require_answer(address)
        try:
            ray.init(address=address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            line = str(error).strip().split("\n", maxsplit=1)[0]
            raise UserError(f"--address {address}: cannot join the Ray cluster from this machine ({line})") from error
    try:
        yield Cluster(gpus_per_job, _at_once(ray.cluster_resources(), gpus_per_job))
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f"--address {address}: write it as HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=ADDRESS_SECONDS).close()
        # Ray itself would wait for minutes for something else that listens there.
        check = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
        answer = subprocess.run(check, capture_output=True, text=True, timeout=HEALTH_SECONDS)
        if "AuthenticationError" in answer.stdout + answer.stderr:
            raise UserError(
                f"--address {address}: this Ray cluster asks for its token; set RAY_AUTH_MODE=token, on a machine "
                "that has the token (`ray get-auth-token`)"
            )
        reason = "what listens there is no healthy cluster" if answer.returncode else ""
    except subprocess.TimeoutExpired:
        reason = "what listens there does not speak Ray"
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    if reason:
        raise UserError(
            f"--address {address}: no Ray cluster answers ({reason}); start one with `ray start --head`, "
            "or leave --address out"
        )


def _at_once(resources: dict[str, float], gpus_per_job: float) -> int:
    """Return how many jobs fit on a cluster at once. Raises UserError if none does."""
    cpus, gpus = resources.get("CPU", 0), resources.get("GPU", 0)
    fit = min(cpus, gpus / gpus_per_job) if gpus_per_job else cpus
    if fit < 1:
        raise UserError(
            f"the cluster has {cpus:g} CPUs and {gpus:g} GPUs, and a job takes 1 and {gpus_per_job:g}; "
            f"add a machine{' or change --gpus-per-job' if gpus_per_job else ''}"
        )
    return int(fit)


class _Collected(Silent):
    """Keeps the notes of a piece of work."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def _call(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Exception | None, list[str]]:
    report = _Collected()
    return *attempt(work, arguments, report), report.notes
