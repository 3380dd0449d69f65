"""What all verbs share: progress bars, output, exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dgfas.core.progress import Silent

EXIT_USER_ERROR = 2


class Bars(Silent):
    """Shows notes as lines and work as progress bars."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self.console, self.bars = console, progress
        self.tasks: dict[str, TaskID] = {}

    def note(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def progress(self, name: str, done: int, total: int) -> None:
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
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(console, progress)


def say(text: str) -> None:
    """Print a line of the answer to standard output."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
