"""Ray: a machine is lost in the middle of the work, and every job has one result; what cannot be joined is said."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dgfas.benchmark.cluster import joined
from dgfas.benchmark.runner import run_jobs
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from heard import Heard
from two_machines import two_machines, wait_for


@dataclass(frozen=True)
class Piece:
    """A job that notes in folder `log` that it began, and lasts until folder `log` holds a file `go`."""

    name: str
    log: Path
    waits: bool = False


def work(job: Piece, report: Silent) -> dict[str, str]:
    beginnings = list(job.log.glob(f"{job.name}.*"))
    (job.log / f"{job.name}.{len(beginnings)}").write_text(str(os.getpid()))
    if job.name == "bad":
        raise UserError("it is bad")
    if job.name == "killed":
        os.kill(os.getpid(), 9)
    while job.waits and not (job.log / "go").exists():
        time.sleep(0.05)
    report.note(f"did {job.name}")
    return {"result": job.name}


@pytest.fixture
def no_process_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail if a process that started during the test is there after it."""
    mark = f"DGFAS_TEST={uuid.uuid4()}"
    monkeypatch.setenv(*mark.split("="))
    yield
    deadline = time.monotonic() + 20
    while left := [path for path in Path("/proc").glob("[0-9]*/environ") if mark in environment(path)]:
        assert time.monotonic() < deadline, [path.with_name("cmdline").read_text() for path in left]
        time.sleep(0.1)


def environment(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended, or is not ours
        return ""


@pytest.mark.slow
def test_a_machine_is_lost_and_every_job_has_one_result(
    no_process_left: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines of one CPU; the second is killed while it works on a job."""
    monkeypatch.setattr("dgfas.benchmark.cluster.RESTARTS", 1)
    log = tmp_path / "log"
    log.mkdir()
    names = ["first", "second", "third", "bad", "killed", "last"]
    jobs = [Piece(name, log, waits=name in ("first", "second")) for name in names]
    heard = Heard()
    with two_machines(monkeypatch, __file__) as (machines, lost):

        def lose() -> None:
            wait_for(lambda: len(list(log.glob("*.0"))) == 2)
            machines.remove_node(lost, allow_graceful=False)
            wait_for(lambda: any(line.startswith("again: ") for line in heard.notes))
            (log / "go").touch()

        with (
            pytest.raises(UserError, match=r"has 2 CPUs and 0 GPUs, and a job takes 1 and 0\.5"),
            joined(machines.address, processes=9, gpus_per_job=0.5),
        ):
            pass
        with joined(machines.address, processes=9, gpus_per_job=0) as cluster:
            assert cluster.at_once == 2
            killer = threading.Thread(target=lose)
            killer.start()
            outcome = run_jobs(jobs, work, tmp_path / "results", cluster, heard)
            killer.join()

    done = ["first", "second", "third", "last"]
    assert outcome.done == len(done)
    assert outcome.failed["bad"] == "it is bad"
    assert "died" in outcome.failed["killed"]
    results = {path.stem: json.loads(path.read_text())["result"] for path in (tmp_path / "results").iterdir()}
    assert results == {name: name for name in done}
    for name in done:
        assert [line.split(" in ")[0] for line in heard.notes].count(f"done: {name}") == 1
        assert heard.notes.count(f"{name}: did {name}") == 1
    begun = {name: len(list(log.glob(f"{name}.*"))) for name in names}
    assert begun["killed"] == 2
    assert sorted((begun["first"], begun["second"])) == [1, 2]  # one of them was lost with its machine
    assert begun["third"] == begun["bad"] == begun["last"] == 1


@pytest.mark.parametrize(
    ("address", "mistake"),
    [
        ("127.0.0.1", "write it as HOST:PORT"),
        ("127.0.0.1:ray", "write it as HOST:PORT"),
        ("127.0.0.1:99999999", "no Ray cluster answers"),
        ("no-such-host.invalid:6379", "no Ray cluster answers"),
    ],
)
def test_an_address_without_a_cluster(address: str, mistake: str) -> None:
    with pytest.raises(UserError, match=mistake), joined(address, 1, 0):
        pass


def test_a_port_where_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it does not listen
        with (
            pytest.raises(UserError, match="no Ray cluster answers"),
            joined(f"127.0.0.1:{taken.getsockname()[1]}", 1, 0),
        ):
            pass


@pytest.mark.slow
def test_a_port_where_something_else_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgfas.benchmark.cluster.HEALTH_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(UserError, match="what listens there"), joined(address, 1, 0):
            pass


def test_a_cluster_that_asks_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ray start` asks for one as soon as Ray has made one on this machine."""
    error = "ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken: Authentication token is missing"
    answer = subprocess.CompletedProcess([], returncode=1, stdout="", stderr=f"Traceback ...\n{error}\n")
    monkeypatch.setattr("subprocess.run", lambda words, **options: answer)
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        with pytest.raises(UserError, match="asks for its token; set RAY_AUTH_MODE=token"), joined(address, 1, 0):
            pass


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r'pip install "dgfas\[cluster\]"'), joined(None, 1, 0):
        pass
