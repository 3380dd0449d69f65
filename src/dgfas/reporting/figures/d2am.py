"""The figures of D2AM (Chen et al., AAAI 2021), from a run of d2am."""

from dgfas.core.errors import UserError
from dgfas.domains.provider import Assignment
from dgfas.reporting.figures.drawing import canvas
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, of_method
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS


def d2am_runs(runs: Runs) -> list[FinishedRun]:
    return of_method(runs, "d2am")


def clusterings(run: FinishedRun) -> list[tuple[int, Assignment]]:
    """Return every naming of the domains with the iteration that it came before. Raises UserError if none is kept."""
    period = run.provider.period(run.config.training.iterations)
    files = sorted((run.path / "domains").glob("clustering_*.npz"))
    if period is None or not files:
        raise UserError("the run's domains were given, not found: there is no clustering to show")
    return [(number * period, Assignment.read(file)) for number, file in enumerate(files)]


def domain_distances(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 7: how far found and given domains are apart, and how much the clusterings agree."""
    named = clusterings(run)
    with canvas(8.4, 3.6) as figure:
        distance, agreement = figure.subplots(1, 2)
        for axes, lines in (
            (distance, {"mmd_found": "found domains", "mmd_given": "given domains"}),
            (agreement, {"nmi_previous": "with the previous clustering", "nmi_given": "with the given domains"}),
        ):
            for number, (key, label) in enumerate(lines.items()):
                points = [(iteration, found.log[key]) for iteration, found in named if key in found.log]
                if points:
                    axes.plot(*zip(*points, strict=True), "os"[number] + "-", color=COLOURS[number], label=label)
            axes.set_xlabel("iteration")
            axes.grid(color="0.9", linewidth=0.6)
            axes.legend(fontsize=8)
        distance.set(title="(a) distance between domains", ylabel="squared MMD", ylim=(0, None))
        agreement.set(title="(b) agreement of the found domains", ylabel="NMI", ylim=(0, 1.05))
    first, last = named[0][1].log, named[-1][1].log
    return PaperFigure(
        name="d2am-7",
        source="D2AM, figure 7",
        title="Found domains against given ones over the training",
        caption=(
            f"{run.words}. At each of the {len(named)} clusterings of all {len(named[0][1].domain)} training frames: "
            "(a) the squared MMD between two domains, mean over pairs, in the features that were clustered; (b) the "
            "normalised mutual information of the found domains with the clustering before and with the data sets. "
            f"MMD of the found domains from {first['mmd_found']:.3f} to {last['mmd_found']:.3f}. The first clustering "
            "is by features of the images alone, later ones by those of the network, so the two do not compare."
        ),
        expectation=(
            "(a) Found domains are farther apart than the given ones. (b) In the paper the agreement with the previous "
            "clustering stays between .6 and .8 (labels keep changing) and that with the data sets is .65 ± .06."
        ),
        figure=figure,
    )


RECIPES = (Recipe("D2AM, figure 7", d2am_runs, "no run of d2am", domain_distances),)
