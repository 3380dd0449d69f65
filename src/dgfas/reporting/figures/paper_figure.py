"""What a figure of a paper is: a drawing, and the words that it cannot be read without."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from dgfas.reporting.figures.finished_run import FinishedRun, Runs


@dataclass(frozen=True)
class PaperFigure:
    """A drawing made from runs, after a figure of a paper.

    `name` is a file's name without ending, `source` the paper's figure ("RFM, figure 6"), `caption` what is shown
    (which runs, data, checkpoint, how many frames), `expectation` what would be seen if the method works.
    """

    name: str
    source: str
    title: str
    caption: str
    expectation: str
    figure: Figure = field(repr=False)

    def words(self) -> dict[str, str]:
        """Return everything but the drawing."""
        names = ("name", "source", "title", "caption", "expectation")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Recipe:
    """How a figure comes about: `draw` makes it of each of the `subjects` among all runs given.

    `needs` says, where there are no subjects, what run is missing. `draw` raises UserError for what it lacks beside
    its subject.
    """

    source: str
    subjects: Callable[[Runs], Sequence[FinishedRun]]
    needs: str
    draw: Callable[[FinishedRun, Runs], PaperFigure]
