"""How long work reports on itself; the command line shows it, everyone else may ignore it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # (done, total)
NamedProgress = Callable[[str, int, int], None]  # (what, done, total)


class Silent:
    """A reporter that shows nothing."""

    def note(self, text: str) -> None:
        """Take one line that a person should read."""

    def progress(self, name: str, done: int, total: int) -> None:
        """Take how far the work called `name` is."""


class Printed(Silent):
    """A reporter that prints notes and leaves out how far the work is."""

    def note(self, text: str) -> None:
        print(text, flush=True)


def named(progress: NamedProgress | None, name: str) -> Progress | None:
    """Return `progress` for one piece of work."""
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def in_words(seconds: float) -> str:
    """Return a duration as a person says it: `40 s`, `12 min`, `3.5 h`, `5.2 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 72 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
