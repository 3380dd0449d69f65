"""Say in one line that a training has collapsed, once each time it does."""

import logging

logger = logging.getLogger("dgfas")


class CollapseWatch:
    """Warns when a collapse begins, and again only after it has ended."""

    def __init__(self) -> None:
        self.present: set[str] = set()

    def report(self, collapse: str, is_present: bool, message: str) -> None:
        """Log `message` if `collapse` (a name) is present now and was not at the last report."""
        if is_present and collapse not in self.present:
            logger.warning(message)
        (self.present.add if is_present else self.present.discard)(collapse)
