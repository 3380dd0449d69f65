"""The figures of D2AM (Chen et al., AAAI 2021), from a run of d2am."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgfas.core.errors import UserError
from dgfas.domains.clustering import standardised
from dgfas.domains.d2am import D2AMDomains
from dgfas.domains.diagnostics import DISCREPANCY_FRAMES
from dgfas.domains.provider import Assignment
from dgfas.methods.d2am import D2AM
from dgfas.methods.rfm import RFM
from dgfas.methods.style import collect_style, image_style
from dgfas.networks.domain_representation import channel_statistics
from dgfas.reporting.figures.drawing import canvas, colour_of, panels, percent
from dgfas.reporting.figures.embedding import draw_embeddings, embed, likeness_words, scatter, scatter_legend
from dgfas.reporting.figures.features import collect, last_features, trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, companion, of_method
from dgfas.reporting.figures.frames import Frames, draw_frames
from dgfas.reporting.figures.maps import central_share, channel_mean, draw_rows, lowest_and_highest
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS
from dgfas.training.checkpoint import checkpoint_path, read_checkpoint, saved_steps

EMBEDDED = 400  # frames of a t-SNE
CLUSTERED = 300  # frames of each t-SNE of figure 6
SHOWN = 8  # frames in figure 5
CLUSTERINGS = 6  # panels of figure 6 at most


def d2am_runs(runs: Runs) -> list[FinishedRun]:
    return of_method(runs, "d2am")


def draw_of_the_task(run: FinishedRun) -> Frames:
    return draw_frames(run, ["train", "target"], EMBEDDED, purpose="embedding")


def adaptation_features(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 4a and 4b: features before the output layer, of RFM and of D2AM."""
    rfm = companion(run, runs, "rfm", lambda other: True, "a run of rfm")
    frames = draw_of_the_task(run)
    features = {
        "(a) RFM": last_features(trained(rfm, RFM), frames),
        "(b) D2AM": last_features(trained(run, D2AM), frames),
    }
    return PaperFigure(
        name="d2am-4ab",
        source="D2AM, figure 4a and b",
        title="Adaptation features of RFM and D2AM, by domain and class",
        caption=(
            f"{rfm.words} and {run.words}. t-SNE of what the output layer reads (of D2AM the adaptation layer) of "
            f"{len(frames)} frames, as many of each domain and class as there are. Colours are the data sets, of which "
            f"{run.task.target} is unseen. {likeness_words(features, frames)}"
        ),
        expectation=(
            "Live and spoof lie apart in both; domains mix more in (b), the unseen one included (fewer neighbours of "
            "the own domain), and (b) has no outliers."
        ),
        figure=draw_embeddings(features, frames, run.domains),
    )


def task_and_domain_channels(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 4c and 4d: df(x) of the third DRLM from F+ and from F-.

    Each from its half of the channels, as D2AM's provider chooses them: F+ and F- differ by a factor a channel, which
    standardising takes out.
    """
    method, frames = trained(run, D2AM), draw_of_the_task(run)
    drlm = method.drlms[-1]

    def statistics(outputs: dict[str, Any]) -> dict[str, Tensor]:
        features = outputs["stage"]
        both = {"(c) from F+": drlm(features), "(d) from F−": drlm.domain_features(features)}
        found = {name: torch.stack(channel_statistics(part), dim=1) for name, part in both.items()}
        return {"attention": drlm.attention(features), **found}

    found = collect(method, frames, {"stage": method.encoder.stages[-1]}, statistics)
    attention = found.pop("attention").mean(axis=0, keepdims=True)
    low, high = lowest_and_highest(attention, attention.shape[1] // 2)
    chosen = zip(found.items(), (high[0], low[0]), strict=True)
    features = {name: standardised(both[:, :, half].reshape(len(frames), -1)) for (name, both), half in chosen}
    return PaperFigure(
        name="d2am-4cd",
        source="D2AM, figure 4c and d",
        title="Style statistics of the task's and of the domain's channels",
        caption=(
            f"{run.words}. t-SNE of df(x), mean and standard deviation of channels of the third DRLM (standardised): "
            "of the task features F+ the half with the highest mean attention, of the domain features F− the half "
            f"with the lowest; {len(frames)} frames, as many of each domain and class as there are. "
            f"{likeness_words(features, frames)}"
        ),
        expectation="(c) divides live from spoof better than (d); (d) divides the domains better than (c).",
        figure=draw_embeddings(features, frames, run.domains),
    )


def attention_maps(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 5: the third DRLM's channels of low and of high attention."""
    method = trained(run, D2AM)
    frames = draw_frames(run, ["train", "target"], 256, purpose="attention")
    drlm = method.drlms[-1]

    def attended(outputs: dict[str, Any]) -> dict[str, Tensor]:
        return {"features": outputs["stage"], "attention": drlm.attention(outputs["stage"])}

    found = collect(method, frames, {"stage": method.encoder.stages[-1]}, attended)
    half = found["attention"].shape[1] // 2
    low, high = lowest_and_highest(found["attention"], half)
    maps = {
        "low attention": channel_mean(found["features"], low),
        "high attention": channel_mean(found["features"], high),
    }
    first = frames.spread(SHOWN)
    shown = frames[first]
    with canvas(1.15 * len(first), 4.0) as figure:
        titles = [f"{domain}\n{species}" for domain, species in zip(shown.domain, shown.table["species"], strict=True)]
        draw_rows(figure, shown.crops(), titles, {name: heat[first] for name, heat in maps.items()})
    shares = " and ".join(f"{percent(central_share(heat))} ({name})" for name, heat in maps.items())
    return PaperFigure(
        name="d2am-5",
        source="D2AM, figure 5",
        title="Channels of low and of high attention",
        caption=(
            f"{run.words}. Mean over the half of the channels with the lowest, and with the highest, attention of each "
            f"frame, going into the third DRLM; {len(first)} frames of sources and target, each map scaled to its own "
            f"maximum. In the middle half of height and width (25 % of the crop) lie {shares} of the maps, mean over "
            f"{len(frames)} frames."
        ),
        expectation=(
            "Low attention lies on backgrounds, edges and single cues of one kind of attack, high attention on the "
            "inside of the face."
        ),
        figure=figure,
    )


def clusterings(run: FinishedRun) -> list[tuple[int, Assignment]]:
    """Return every naming of the domains with the iteration that it came before. Raises UserError if none is kept."""
    period = run.provider.period(run.config.training.iterations)
    files = sorted((run.path / "domains").glob("clustering_*.npz"))
    if period is None or not files:
        raise UserError("the run's domains were given, not found: there is no clustering to show")
    return [(number * period, Assignment.read(file)) for number, file in enumerate(files)]


def domains_over_time(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 6: the found domains in the features that they were found in, from clustering to clustering.

    Raises UserError if they were not found by D2AM's provider.
    """
    provider = run.provider
    if not isinstance(provider, D2AMDomains):
        raise UserError("the run's domains were not found by the provider d2am")
    kept = {0, *saved_steps(run.path)}  # a clustering comes before the iteration of its checkpoint
    named = [(iteration, found) for iteration, found in clusterings(run) if iteration in kept]
    places = np.unique(np.linspace(0, len(named) - 1, min(CLUSTERINGS, len(named))).round().astype(int))
    frames = draw_frames(run, ["train"], CLUSTERED, purpose="clusters")
    place = run.data.part("train").index.get_indexer(frames.table.index)
    method = trained(run, D2AM)
    colours = colour_of([f"domain {k}" for k in range(provider.n_domains)])
    with panels(len(places), 3, 3.4, 3.5, below=0.4) as (figure, every):
        for axes, (iteration, found) in zip(every, (named[k] for k in places), strict=True):
            if iteration == 0:
                style = image_style(provider.options.imagenet_weights, frames.chunks(), len(frames))
            else:
                read_checkpoint(checkpoint_path(run.path, iteration), method)
                style = collect_style("d2am", method, frames.chunks(), len(frames))
            group = np.array([f"domain {k}" for k in found.domain[place]], dtype=object)
            scatter(axes, embed(provider.domain_features(style)), group, frames.live, colours)
            agreement = found.log.get("nmi_previous")
            after = "" if agreement is None else f", NMI {agreement:.2f}"
            axes.set_title(f"before iteration {iteration + 1}{after}", fontsize=9)
        scatter_legend(figure, colours)
    return PaperFigure(
        name="d2am-6",
        source="D2AM, figure 6",
        title="The domains that were found, from clustering to clustering",
        caption=(
            f"{run.words}. t-SNE of df(x) at {len(places)} of the {len(named)} clusterings whose network was kept (the "
            f"first: of the images alone), {len(frames)} training frames, as many of each data set and class as "
            "there are; colours are the saved domains. NMI: agreement with the clustering before."
        ),
        expectation=(
            "Each panel divides by its colours, and the division changes (NMI below 1): training on one division takes "
            "out what made it. In the paper one epoch divides by light, a later one by background."
        ),
        figure=figure,
    )


def domain_distances(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 7: how far found and given domains are apart, and how much the clusterings agree.

    Raises UserError if the domains were not found by features.
    """
    named = clusterings(run)
    first, last = named[0][1].log, named[-1][1].log
    if "mmd_found" not in first:
        raise UserError("the run's domains were drawn by lot: there are no features in which to measure them")
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
    at_first = "the images alone" if isinstance(run.provider, D2AMDomains) else "the untrained network"
    return PaperFigure(
        name="d2am-7",
        source="D2AM, figure 7",
        title="Found domains against given ones over the training",
        caption=(
            f"{run.words}. At each of the {len(named)} clusterings of all {len(named[0][1].domain)} training frames: "
            "(a) the squared MMD between two domains, mean over pairs, in the features that were clustered, of at most "
            f"{DISCREPANCY_FRAMES} frames a domain; (b) the normalised mutual information of the found domains with "
            f"the clustering before and with the data sets. MMD of the found domains from {first['mmd_found']:.3f} to "
            f"{last['mmd_found']:.3f}. The first clustering is by features of {at_first}, later ones by those of the "
            "network as it was, so the two do not compare."
        ),
        expectation=(
            "(a) Found domains are farther apart than the given ones. (b) In the paper the agreement with the previous "
            "clustering stays between .6 and .8 (labels keep changing) and that with the data sets is .65 ± .06."
        ),
        figure=figure,
    )


RECIPES = tuple(
    Recipe(f"D2AM, figure {number}", d2am_runs, "no run of d2am", draw)
    for number, draw in (
        ("4a and b", adaptation_features),
        ("4c and d", task_and_domain_channels),
        ("5", attention_maps),
        ("6", domains_over_time),
        ("7", domain_distances),
    )
)
