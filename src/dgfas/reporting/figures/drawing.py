"""One look for all figures: the style of the ROC curves, panels side by side."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dgfas.reporting.roc import COLOURS, STYLE


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of that size in inches; what is drawn inside has the style of all figures."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


@contextmanager
def panels(
    number: int, columns: int, width: float, height: float, below: float = 0
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure of `number` axes, at most so many in a row, each of that size in inches, and the axes in order.

    The figure is `below` inches higher, for what stands under the panels.
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    with canvas(width * columns, height * rows + below) as figure:
        every = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in every[number:]:
            axes.remove()
        yield figure, every[:number]


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in order."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def percent(share: float) -> str:
    """Write a share in [0, 1] as a whole percentage, for captions."""
    return f"{100 * share:.0f} %"


def join_words(words: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
