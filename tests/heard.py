"""What a test has been told while it waited."""

from dgfas.core.progress import Silent


class Heard(Silent):
    """Keeps the notes, and (done, total) of every progress."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.seen: list[tuple[int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, name: str, done: int, total: int) -> None:
        self.seen.append((done, total))
