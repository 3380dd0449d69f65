"""How long work reports on itself; the command line shows it, everyone else may ignore it."""


class Silent:
    """A reporter that shows nothing."""

    def note(self, text: str) -> None:
        """Take one line that a person should read."""

    def progress(self, name: str, done: int, total: int) -> None:
        """Take how far the work called `name` is."""
