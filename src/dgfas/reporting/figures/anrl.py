"""The figures of ANRL (Liu et al., ACM Multimedia 2021), from runs of anrl with several normalisations."""

from collections.abc import Hashable
from pathlib import Path

import numpy as np

from dgfas.core.errors import UserError
from dgfas.domains.clustering import standardised
from dgfas.evaluation.metrics import auc
from dgfas.methods.anrl import ANRL
from dgfas.methods.style import image_style
from dgfas.networks.normalization import NORMALIZATIONS
from dgfas.reporting.figures.anrl_balance import BALANCE_RECIPES, NEEDS_AFNM, adaptive_runs, normalization_of
from dgfas.reporting.figures.drawing import canvas
from dgfas.reporting.figures.embedding import draw_embeddings, likeness_words
from dgfas.reporting.figures.features import last_features, trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, of_method
from dgfas.reporting.figures.frames import draw_frames
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS

WORDS = {"batch": "BN", "instance": "IN", "half": "IN-BN-half", "bin": "BIN", "ibn": "IBN", "afnm": "AFNM",
         "afnm_1layer": "AFNM, one layer"}  # fmt: skip
EMBEDDED = 400  # frames of a t-SNE


def first_anrl_run(runs: Runs) -> list[FinishedRun]:
    return of_method(runs, "anrl")[:1]


def batch_against_instance(first: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 1: AUC by unseen domain of runs with batch and with instance normalisation.

    Raises UserError without such runs on the same sources.
    """
    normalized = [run for run in of_method(runs, "anrl") if normalization_of(run) in ("batch", "instance")]
    by_target: dict[tuple[Hashable, str], dict[str, list[FinishedRun]]] = {}
    for run in (run for run in normalized if run.config.data.target):
        for target in run.unseen_domains():
            found = by_target.setdefault((frozenset(run.task.sources), target), {"batch": [], "instance": []})
            found[normalization_of(run)].append(run)
    both = [(target, found) for (_, target), found in by_target.items() if all(found.values())]
    if not both:
        raise UserError("needs runs of anrl with options.normalization=batch and =instance on the same sources")
    used = list(dict.fromkeys(run for _, found in both for run in (*found["batch"], *found["instance"])))
    pairs = {
        f"{'&'.join(found['batch'][0].task.sources)}\nto {target}": {
            kind: [recording_auc(run, target) for run in of_kind] for kind, of_kind in found.items()
        }
        for target, found in both
    }
    with canvas(max(4.5, 1.9 * len(pairs) + 1.6), 4.0) as figure:
        axes = figure.add_subplot()
        for number, name in enumerate(("batch", "instance")):
            x = np.arange(len(pairs)) + 0.36 * (number - 0.5)
            heights = [np.mean(aucs[name]) for aucs in pairs.values()]
            bars = axes.bar(x, heights, 0.34, color=COLOURS[number], label=WORDS[name])
            axes.bar_label(bars, fmt="%.1f", fontsize=8)
            for place, aucs in zip(x, pairs.values(), strict=True):
                if len(aucs[name]) > 1:
                    axes.plot([place] * len(aucs[name]), aucs[name], "o", color="black", markersize=3)
        axes.axhline(50, color="0.6", linewidth=0.8, linestyle=":")
        axes.set(ylim=(0, 108), ylabel="AUC by recording (%)")
        axes.set_xticks(range(len(pairs)), list(pairs))
        axes.tick_params(axis="x", labelsize=8)
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return PaperFigure(
        name="anrl-1",
        source="ANRL, figure 1",
        title="Batch against instance normalisation, by unseen domain",
        caption=(
            f"{'; '.join(run.words for run in used)}. AUC by recording at each run's deployable checkpoint, on every "
            "domain of its data that it was not trained on; dots are single runs where there are several. The paper's "
            "figure is a sketch, this one is measured."
        ),
        expectation="Batch normalisation does better on some unseen domains, instance normalisation on others.",
        figure=figure,
    )


def recording_auc(run: FinishedRun, target: str) -> float:
    """Return the AUC of a run on a target in percent, by recording."""
    scores = run.target_scores(target).by_recording()
    return 100 * auc(scores.score, scores.is_live)


def by_normalization(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 4: features by domain and class, a panel a normalisation.

    Raises UserError without a run of another normalisation on the same task.
    """
    same = [other for other in of_method(runs, "anrl") if other.is_on_task_of(run)]
    same.sort(key=lambda other: other.seed != run.seed)
    chosen = {
        name: next(other for other in [run, *same] if normalization_of(other) == name)
        for name in NORMALIZATIONS
        if any(normalization_of(other) == name for other in same)
    }
    if len(chosen) < 2:
        raise UserError(f"needs runs of anrl with other options.normalization on {run.task} beside it")
    frames = draw_frames(run, ["train", "target"], EMBEDDED, purpose="embedding")
    features = {WORDS[name]: last_features(trained(other, ANRL), frames) for name, other in chosen.items()}
    return PaperFigure(
        name="anrl-4",
        source="ANRL, figure 4",
        title="Features by normalisation, domain and class",
        caption=(
            f"{'; '.join(f'{WORDS[name]}: {other.words}' for name, other in chosen.items())}. t-SNE of what the output "
            f"layer reads of {len(frames)} frames, as many of each domain and class as there are; {run.task.target} is "
            f"unseen. {likeness_words(features, frames)}"
        ),
        expectation=(
            "BN leaves the domains apart, IN mixes them but loses some of the class; AFNM mixes domains and divides "
            "classes."
        ),
        figure=draw_embeddings(features, frames, run.domains),
    )


def data_sets(first: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 8: the data sets in features of the images alone."""
    frames = draw_frames(first, ["train", "target"], EMBEDDED, purpose="data sets")
    weights = first.config.domains.get("imagenet_weights")
    style = image_style(Path(weights) if weights else None, frames.chunks(), len(frames))
    features = {"features of the images": standardised(style.features)}
    return PaperFigure(
        name="anrl-8",
        source="ANRL, figure 8",
        title="How far the data sets are apart before any training",
        caption=(
            f"{'; '.join(style.notes)} (standardised), of {len(frames)} frames of {', '.join(first.domains)}, as many "
            f"of each domain and class as there are. {likeness_words(features, frames)}"
        ),
        expectation="Data sets that are alike overlap; those far apart ask for more of instance normalisation.",
        figure=draw_embeddings(features, frames, first.domains),
    )


RECIPES = (
    Recipe("ANRL, figure 1", first_anrl_run, "no run of anrl", batch_against_instance),
    Recipe("ANRL, figure 4", adaptive_runs, NEEDS_AFNM, by_normalization),
    *BALANCE_RECIPES,
    Recipe("ANRL, figure 8", first_anrl_run, "no run of anrl", data_sets),
)
