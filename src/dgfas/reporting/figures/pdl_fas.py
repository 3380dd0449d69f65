"""The figure of PDL-FAS (section 4.2), from a run of pdl_fas."""

import numpy as np
from matplotlib.lines import Line2D

from dgfas.methods.pdl_fas import PDLFAS
from dgfas.reporting.figures.drawing import canvas, percent
from dgfas.reporting.figures.embedding import CLASS_WORDS, MARKERS, embed, likeness, scatter
from dgfas.reporting.figures.features import last_features, trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, of_method
from dgfas.reporting.figures.frames import draw_frames
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS

EMBEDDED = 1000  # as in the paper
CLASS_COLOURS = {"live": COLOURS[1], "spoof": COLOURS[0]}  # the paper's: live orange, spoof blue


def pdl_runs(runs: Runs) -> list[FinishedRun]:
    return of_method(runs, "pdl_fas")


def target_by_class(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 4: frames of the unseen domain by class."""
    frames = draw_frames(run, ["target"], EMBEDDED, by=(), purpose="embedding")
    features = last_features(trained(run, PDLFAS), frames)
    words = np.array([CLASS_WORDS[bool(live)] for live in frames.live], dtype=object)
    with canvas(4.8, 5.2) as figure:
        axes = figure.add_subplot()
        scatter(axes, embed(features), words, frames.live, CLASS_COLOURS)
        axes.set_title(str(run.task), fontsize=10)
        marks = [
            Line2D([], [], color=colour, marker=MARKERS[word == "live"], linestyle="", label=word)
            for word, colour in CLASS_COLOURS.items()
        ]
        figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return PaperFigure(
        name="pdl_fas-4",
        source="PDL-FAS, figure 4",
        title="Frames of the unseen domain, by class",
        caption=(
            f"{run.words}. t-SNE of what the output layer reads of {len(frames)} frames drawn from {run.task.target} "
            f"({frames.live.sum()} live). Of the five nearest frames of other persons (in the features themselves) "
            f"{percent(likeness(features, frames.live, frames.person))} are of the same class."
        ),
        expectation="Live and spoof of a domain that was never seen lie apart (50 % would be chance).",
        figure=figure,
    )


RECIPES = (Recipe("PDL-FAS, figure 4", pdl_runs, "no run of pdl_fas", target_by_class),)
