"""Pictures as part of a page: nothing is loaded from anywhere else."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dgfas.reporting.figures.paper_figure import PaperFigure
from dgfas.reporting.html.groups import Group
from dgfas.reporting.html.stored import StoredResult
from dgfas.reporting.roc import COLOURS, LINES, STYLE

PNG_DPI = 110


@dataclass(frozen=True)
class Picture:
    """An image with its words: `alt` for those who do not see it, `caption` below it."""

    source: str  # a data: address
    alt: str
    title: str
    caption: str


def roc_pictures(groups: Sequence[Group]) -> list[Picture]:
    """Return the ROC curves of each task: a curve a method, the mean over seeds, and its deployable threshold."""
    pictures = []
    for task in dict.fromkeys(group.task for group in groups):
        own = [group for group in groups if group.task == task]
        alt = f"ROC curves of {', '.join(group.label for group in own)} on {task}"
        several = any(len(group.members) > 1 for group in own)
        caption = "By recording, of the deployable checkpoint. The mark is the deployable threshold." + (
            " Each curve is the mean over seeds of the live accepted." if several else ""
        )
        pictures.append(Picture(data_address(_roc(own), "svg"), alt, task, caption))
    return pictures


def _roc(groups: Sequence[Group]) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4, 4.7), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot([0, 100], [0, 100], color="0.75", linewidth=0.8)
        for number, group in enumerate(groups):
            results = group.results("deployable")
            colour, line = COLOURS[number % len(COLOURS)], LINES[number % len(LINES)]
            fpr = 100 * np.array(results[0].roc.fpr)
            tpr = 100 * np.mean([result.roc.tpr for result in results], axis=0)
            area = 100 * np.mean([result.auc for result in results])
            axes.plot(fpr, tpr, line, color=colour, linewidth=1.6, label=f"{group.label}, AUC {area:.2f} %")
            far = 100 * np.mean([_far(result) for result in results])
            frr = 100 * np.mean([result.bpcer.share for result in results])
            axes.plot(far, 100 - frr, "o", color=colour, markersize=6)
        axes.set(xlim=(-1, 101), ylim=(-1, 101), xlabel="Spoof accepted, FAR (%)", ylabel="Live accepted, 1 − FRR (%)")
        axes.set_aspect("equal")
        axes.grid(color="0.9", linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def paper_picture(figure: PaperFigure) -> Picture:
    """Return a figure after one of a paper, with what it shows and what would be expected."""
    caption = f"After {figure.source}. {figure.caption} Expected if the method works: {figure.expectation}"
    return Picture(data_address(figure.figure, "png"), f"{figure.source}: {figure.title}", figure.title, caption)


def _far(result: StoredResult) -> float:
    """Return the share of all spoof accepted at the result's threshold."""
    rates = result.apcer.values()
    return sum(rate.errors for rate in rates) / sum(rate.total for rate in rates)


def data_address(figure: Figure, ending: str) -> str:
    """Return a figure as a data: address, the same bytes for the same drawing."""
    file = io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[ending]
    with mpl.rc_context(STYLE):
        figure.savefig(file, format=ending, dpi=PNG_DPI, metadata=metadata)
    kind = {"png": "image/png", "svg": "image/svg+xml"}[ending]
    return f"data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
