"""ROC curves as files that are the same to the byte for the same scores."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dgfas.evaluation.metrics import auc, error_curve, far_frr
from dgfas.evaluation.scores import Scores

#: Colours that people with any colour vision tell apart (Okabe and Ito), and lines that differ in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", "-.", ":")
TITLE_WIDTH = 56  # characters
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "dgfas",
    "text.parse_math": False,  # names of users may hold dollar signs
}


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold to mark on one curve."""

    curve: str
    name: str
    threshold: float


def roc_figure(curves: Mapping[str, Scores], points: Sequence[OperatingPoint] = (), title: str = "") -> Figure:
    """Draw the share of live accepted over the share of spoof accepted for each named set of scores.

    The curve ends where everything that was answered is accepted: left of and below (1, 1) where there are
    non-responses. Each name is followed by its AUC. `points` mark thresholds. Raises ValueError if a class is missing.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.2, 6.4), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        draw_roc(axes, curves)
        for number, point in enumerate(points):
            far, frr = far_frr(curves[point.curve].score, curves[point.curve].is_live, point.threshold)
            colour = COLOURS[list(curves).index(point.curve) % len(COLOURS)]
            label = f"{point.name}: FAR {100 * far:.1f} %, FRR {100 * frr:.1f} %"
            axes.plot(100 * far, 100 - 100 * frr, "osD^v"[number % 5], color=colour, markersize=7, label=label)
        axes.set_title(textwrap.fill(title, TITLE_WIDTH))
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def draw_roc(axes: Axes, curves: Mapping[str, Scores]) -> None:
    """Draw the curves of `roc_figure` into `axes`."""
    axes.plot([0, 100], [0, 100], color="0.75", linewidth=0.8)
    for number, (name, scores) in enumerate(curves.items()):
        curve = error_curve(scores.score, scores.is_live)
        label = f"{name}, AUC {100 * auc(scores.score, scores.is_live):.2f} %"
        colour, line = COLOURS[number % len(COLOURS)], LINES[number % len(LINES)]
        axes.plot(100 * curve.far, 100 - 100 * curve.frr, line, color=colour, linewidth=1.6, label=label)
    axes.set(xlim=(-1, 101), ylim=(-1, 101), xlabel="Spoof accepted, FAR (%)", ylabel="Live accepted, 1 − FRR (%)")
    axes.set_aspect("equal")
    axes.grid(color="0.9", linewidth=0.6)


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write `figure` as PNG and SVG next to each other, without dates, and return both paths.

    `path` is the file without its ending.
    """
    files = [path.with_name(path.name + ".png"), path.with_name(path.name + ".svg")]
    with mpl.rc_context(STYLE):
        figure.savefig(files[0], format="png", metadata={"Software": None})
        figure.savefig(files[1], format="svg", metadata={"Date": None, "Creator": None})
    return files
