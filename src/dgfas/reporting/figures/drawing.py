"""One look for all figures: the style of the ROC curves, panels side by side."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dgfas.reporting.roc import COLOURS, STYLE

MARKERS = {"live": "s", "spoof": "^"}  # D2AM figure 4: squares are live, triangles fake
CLASS_COLOURS = {"live": COLOURS[1], "spoof": COLOURS[0]}  # PDL-FAS figure 4: orange is live, blue fake


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of that size in inches; what is drawn inside has the style of all figures."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in order."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def join_words(words: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
