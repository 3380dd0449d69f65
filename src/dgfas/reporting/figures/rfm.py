"""The figures of RFM (Shao, Lan and Yuen, AAAI 2020), from runs of rfm and of the methods beside it."""

import numpy as np

from dgfas.evaluation.scores import Scores
from dgfas.methods.base import Method
from dgfas.reporting.figures.drawing import canvas, join_words, panels, percent
from dgfas.reporting.figures.features import trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, companion, of_method, one_a_task
from dgfas.reporting.figures.frames import draw_frames
from dgfas.reporting.figures.maps import central_share, draw_rows, spoof_attention
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import draw_roc

SHOWN = 8  # attacks in figure 6
MEASURED = 256  # attacks that its numbers are from
META_LEARNING = ("mldg", "reptile", "metareg")


def rfm_runs(runs: Runs) -> list[FinishedRun]:
    return of_method(runs, "rfm")


def first_rfm_run(runs: Runs) -> list[FinishedRun]:
    return rfm_runs(runs)[:1]


def task_roc(first: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 4: a panel a task that RFM was trained on, a curve a method."""
    tasks = one_a_task(rfm_runs(runs))
    shown = []
    with panels(len(tasks), 2, 4.6, 4.7) as (figure, every):
        for axes, of_task in zip(every, tasks, strict=True):
            curves = {}
            for name, run in one_a_method([run for run in runs if run.is_on_task_of(of_task)]).items():
                curves[name] = recording_scores(run)
                shown.append(run)
            draw_roc(axes, curves)
            axes.set_title(str(of_task.task), fontsize=9)
            axes.legend(loc="lower right", fontsize=7)
    others = [name for name in META_LEARNING if any(run.method == name for run in shown)]
    absent = [name for name in META_LEARNING if name not in others]
    lacking = f" No run of {join_words(absent)} was given." if absent else ""
    return PaperFigure(
        name="rfm-4",
        source="RFM, figure 4",
        title="ROC curves of the tasks",
        caption=(
            "By recording (mean of its frames), at each run's deployable checkpoint; where several runs of a method on "
            f"a task were given, the first. {'; '.join(run.words for run in shown)}.{lacking}"
        ),
        expectation=(
            "The curve of rfm lies above the others: farther to the upper left on every task, also than the "
            "meta-learning baselines mldg, reptile and metareg, which adapt in the image space or aggregate domains."
        ),
        figure=figure,
    )


def one_a_method(runs: Runs) -> dict[str, FinishedRun]:
    """Return the first run of each method by its name, rfm first."""
    named: dict[str, FinishedRun] = {}
    for run in sorted(runs, key=lambda run: run.method != "rfm"):
        named.setdefault(run.method, run)
    return named


def recording_scores(run: FinishedRun) -> Scores:
    return run.target_scores(run.task.target).by_recording()


def attention_on_attacks(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 6: where Binary CNN and RFM look in attacks of the unseen domain."""
    plain = companion(run, runs, "binary_cnn", lambda other: True, "a run of binary_cnn")
    frames = draw_frames(run, ["target"], 2 * MEASURED, purpose="attention")
    attacks = frames[~frames.live]
    frames = attacks[np.sort(attacks.spread(MEASURED, ["species"]))]
    maps = {}
    for name, one in (("Binary CNN", plain), ("RFM", run)):
        maps[name] = spoof_attention(trained(one, Method), frames.images())  # type: ignore[type-abstract]
    first = frames.spread(SHOWN, ["species"])
    with canvas(1.15 * len(first), 3.9) as figure:
        draw_rows(
            figure,
            frames[first].crops(),
            list(frames[first].table["species"]),
            {name: heat[first] for name, heat in maps.items()},
        )
    shares = join_words([f"{percent(central_share(heat))} ({name})" for name, heat in maps.items()])
    return PaperFigure(
        name="rfm-6",
        source="RFM, figure 6",
        title="Where Binary CNN and RFM look in attacks of the unseen domain",
        caption=(
            f"{plain.words} and {run.words}. Grad-CAM of the answer `spoof` on the features before the classifier, of "
            f"{len(first)} attacks of {run.task.target}, each map scaled to its own maximum. In the middle half of "
            f"height and width (25 % of the crop) lie {shares} of the maps, mean over {len(frames)} attacks."
        ),
        expectation=(
            "RFM looks at the inside of the face, Binary CNN at the background, paper edges or fingers: the middle "
            "holds more of RFM's maps."
        ),
        figure=figure,
    )


RECIPES = (
    Recipe("RFM, figure 4", first_rfm_run, "no run of rfm", task_roc),
    Recipe("RFM, figure 6", rfm_runs, "no run of rfm", attention_on_attacks),
)
