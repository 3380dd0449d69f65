"""Several pieces of work in processes of one thread each, with their progress shown here."""

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, cast

from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.core.work import Answer, Call, Died


@dataclass(frozen=True)
class Processes:
    """A number of processes on this machine."""

    at_once: int

    def answers(self, work: Callable[..., Any], calls: Sequence[Call], report: Silent) -> Iterator[Answer]:
        """Call `work(*arguments, reporter)` for each (name, arguments) in fresh processes; yield answers as they come.

        `work` must be a function of a module. A process that is killed costs its call alone. Where the caller stops
        early, or is interrupted, the processes are killed.
        """
        waiting = deque(range(len(calls)))
        busy: dict[Connection, tuple[SpawnProcess, int]] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < self.at_once:
                    pipe, process = _start(work)
                    busy[pipe] = process, waiting[0]
                    _give(pipe, calls[waiting.popleft()])
                for ready in connection.wait(list(busy)):
                    pipe = cast(Connection, ready)
                    process, number = busy[pipe]
                    try:
                        kind, *content = pipe.recv()
                    except (EOFError, OSError):
                        del busy[pipe]
                        process.join()
                        yield Answer(number, error=Died(_death(process.exitcode)))
                        continue
                    if kind != "answer":
                        getattr(report, kind)(*content)
                        continue
                    if waiting:
                        busy[pipe] = process, waiting[0]
                        _give(pipe, calls[waiting.popleft()])
                    else:
                        del busy[pipe]
                        pipe.close()  # the process ends
                    yield Answer(number, *content)
        finally:
            for process, _ in busy.values():
                process.kill()


def run_in_parallel(work: Callable[..., Any], calls: Sequence[Call], processes: int, report: Silent) -> list[Any]:
    """Return the results of `work(*arguments, reporter)` for each (name, arguments), made in that many processes.

    `work` must be a function of a module. The first failure is raised when all have ended: UserError for a process that
    was killed.
    """
    answers = sorted(Processes(processes).answers(work, calls, report), key=lambda answer: answer.number)
    for answer in answers:
        if isinstance(answer.error, Died):
            raise UserError(f"{calls[answer.number][0]}: {answer.error}; give the command again, it goes on from there")
        if answer.error is not None:
            raise answer.error
    return [answer.result for answer in answers]


def attempt(work: Callable[..., Any], arguments: tuple[Any, ...], report: Silent) -> tuple[Any, Exception | None]:
    """Return (result, None) or (None, error); the error of a user stays one, any other becomes its traceback's text."""
    try:
        return work(*arguments, report), None
    except UserError as error:
        return None, error
    except Exception:
        # Whatever went wrong in one piece of work must not end the others; the reason is kept whole.
        return None, RuntimeError(traceback.format_exc())


class _Forwarding(Silent):
    """Sends what a piece of work reports to the parent process, under the work's name."""

    def __init__(self, name: str, pipe: Connection) -> None:
        self.name, self.pipe = name, pipe

    def note(self, text: str) -> None:
        self.pipe.send(("note", f"{self.name}: {text}"))

    def progress(self, name: str, done: int, total: int) -> None:
        self.pipe.send(("progress", f"{self.name}: {name}", done, total))


def _start(work: Callable[..., Any]) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    pipe, other_end = context.Pipe()
    process = context.Process(target=_serve, args=(work, other_end), daemon=False)
    with _deaf():
        process.start()
    other_end.close()
    return pipe, process


def _give(pipe: Connection, call: Call) -> None:
    with suppress(OSError):  # the process has died since; what is received next says so
        pipe.send(call)


@contextmanager
def _deaf() -> Iterator[None]:
    """Let processes that start inside never see Ctrl-C, which a terminal sends to all; it waits until the end here."""
    resource_tracker.ensure_running()  # its start would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Callable[..., Any], pipe: Connection) -> None:
    """Answer calls, in a worker, until the parent closes the pipe or has gone."""
    with suppress(EOFError, OSError):
        while True:
            name, arguments = pipe.recv()
            pipe.send(("answer", *attempt(work, arguments, _Forwarding(name, pipe))))


def _death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        killed = signal.Signals(-exit_code).name
        return f"its process was killed ({killed}{', out of memory?' if killed == 'SIGKILL' else ''})"
    return f"its process ended without an answer (exit code {exit_code})"
