"""What all verbs share: mistakes in one line, progress bars, output, exit codes."""

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from dgfas.core.errors import UserError
from dgfas.core.progress import Silent

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
LINE_EVERY = 30.0  # seconds between two lines of progress where no bar can be drawn


class Where(StrEnum):
    """Where the work is done."""

    processes = "processes"
    ray = "ray"


On = Annotated[Where, typer.Option(help="In processes of this machine, or on a Ray cluster.")]
Address = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster that runs.  [default: starts one here]")
]


class Verbs(TyperGroup):
    """Lists the verbs in the order of a user's work, and turns a user's mistake into one line and an exit code."""

    ORDER = (
        "simulate",
        "prepare",
        "train",
        "evaluate",
        "score",
        "benchmark",
        "report",
        "export",
        "serve",
        "demo",
        "doctor",
    )

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=self.ORDER.index)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            complain(str(error))
            raise typer.Exit(EXIT_USER_ERROR) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of a pipe has gone; typer ends quietly
                raise
            where = f"{error.filename}: " if error.filename else ""
            complain(f"{where}{error.strerror or error}; free space or mend the path or its permissions, and repeat")
            raise typer.Exit(EXIT_USER_ERROR) from error
        except KeyboardInterrupt as error:
            complain("stopped; give the same command again to go on, or `dgfas train --resume RUN` for a training")
            raise typer.Exit(EXIT_INTERRUPTED) from error


def complain(message: str) -> None:
    """Print a mistake as one line to standard error."""
    print(f"dgfas: {' '.join(message.splitlines())}", file=sys.stderr)


class Bars(Silent):
    """Shows notes as lines, and work as progress bars; where nobody watches, as a line now and then."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self.console, self.bars = console, progress
        self.tasks: dict[str, TaskID] = {}
        self.last_line = time.monotonic()

    def note(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def progress(self, name: str, done: int, total: int) -> None:
        if not self.console.is_terminal:
            if time.monotonic() - self.last_line > LINE_EVERY:
                self.note(f"{name}: {done} of {total}")
                self.last_line = time.monotonic()
            return
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=total)
        task = self.tasks[name]
        self.bars.update(task, completed=done, total=total, visible=True)
        if done == total:
            self.bars.update(task, visible=False)


@contextmanager
def bars() -> Iterator[Bars]:
    """Show progress on standard error for as long as the work inside lasts."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bars(console, progress)


def say(text: str) -> None:
    """Print a line of the answer to standard output."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
