"""Say in one line that a training has collapsed, once each time it does."""

import logging

logger = logging.getLogger("dgfas")

#: Mean standard deviation of the entries of feature vectors below which all frames have the same vector.
LEAST_SPREAD = 1e-4


class CollapseWatch:
    """Warns when a collapse begins, and again only after it has ended."""

    def __init__(self) -> None:
        self.present: set[str] = set()

    def report(self, collapse: str, is_present: bool, message: str) -> None:
        """Log `message` if `collapse` (a name) is present now and was not at the last report."""
        if is_present and collapse not in self.present:
            logger.warning(message)
        (self.present.add if is_present else self.present.discard)(collapse)

    def report_spread(self, vectors: str, spread: float, method: str, iteration: int, weight: str) -> None:
        """Report that all `vectors` ("embeddings") coincide, if `spread`, their entries' mean deviation, is next to 0.

        `weight` is the option beside the learning rate that a person should lower.
        """
        self.report(
            vectors,
            spread < LEAST_SPREAD,
            f"{method}: all {vectors} coincide at iteration {iteration} (spread {spread:.1e}); "
            f"lower options.{weight} or options.learning_rate",
        )
