"""The figures of DRDG (Liu et al., IJCAI 2021), from a run of drdg and one without its two modules."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from dgfas.core.label import Label
from dgfas.data.batches import BalancedSampler, Batch
from dgfas.methods.drdg import DRDG
from dgfas.reporting.figures.drawing import canvas, percent
from dgfas.reporting.figures.embedding import draw_embeddings, embed, likeness_words
from dgfas.reporting.figures.features import last_features, trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, companion, of_method
from dgfas.reporting.figures.frames import Frames, draw_frames
from dgfas.reporting.figures.maps import central_share, channel_mean, draw_rows, lowest_and_highest, show
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS
from dgfas.training.checkpoint import checkpoint_path, read_checkpoint
from dgfas.training.trained import scoring_device

PER_CELL = 32  # frames of each domain and class in the batch that is weighed
OF_A_DOMAIN = 2  # samples shown of each domain, class and end
EMBEDDED = 400  # frames of a t-SNE
FRM_STEPS = 20


def weighing_runs(runs: Runs) -> list[FinishedRun]:
    """Return the runs of drdg with both of its modules."""
    return [run for run in of_method(runs, "drdg") if "none" not in modules_of(run)]


def modules_of(run: FinishedRun) -> tuple[str, str]:
    return run.config.options["srm"], run.config.options["frm"]


@dataclass(frozen=True)
class Weighed:
    """A batch of training frames with W of each, and the encoder's features behind it."""

    method: DRDG
    batch: Batch
    frames: Frames
    encoded: torch.Tensor
    weight: Float[ndarray, " b"]

    def ends(self, share: float) -> tuple[Bool[ndarray, " b"], Bool[ndarray, " b"]]:
        """Return which samples are of the lowest, and of the highest, `share` of their class by W."""
        low, high = np.zeros(len(self.weight), dtype=bool), np.zeros(len(self.weight), dtype=bool)
        for live in (True, False):
            of_class = np.flatnonzero(self.frames.live == live)
            order = of_class[np.argsort(self.weight[of_class], kind="stable")]
            number = max(1, round(share * len(order)))
            low[order[:number]] = high[order[-number:]] = True
        return low, high


def weighed(run: FinishedRun) -> Weighed:
    """Return a balanced batch of training frames with their weights, in evaluation mode."""
    method, table, live = trained(run, DRDG), run.data.part("train"), run.data.live("train")
    _, tensors = read_checkpoint(checkpoint_path(run.path, run.step), method)
    domain, n_domains = tensors["domain"].numpy(), method.setup.n_domains  # those that it last learnt with
    cells = [int(((domain == k) & (live == is_live)).sum()) for k in range(n_domains) for is_live in (True, False)]
    per_cell = max(1, min(PER_CELL, *cells))  # no frame twice
    rows = BalancedSampler(live, domain, n_domains, per_cell, run.seed).rows(0)
    batch = run.data.loader("train", scoring_device()).batch(rows, domain, n_domains, np.zeros(len(rows), dtype=bool))
    with torch.no_grad():
        encoded = method.encoder(batch.images).concat
        weight = method.weight(method.reweighted(encoded), batch)
    return Weighed(method, batch, Frames(run.data, table.iloc[rows]), encoded, weight.double().cpu().numpy())


def weighed_samples(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 4a: the samples of the highest and of the lowest weight of each domain and class."""
    found = weighed(run)
    domain = found.batch.domain.cpu().numpy()
    names = [str(found.frames.domain[domain == k][0]) if not run.provider.reclusters else f"domain {k}"
             for k in range(found.batch.n_domains)]  # fmt: skip
    with canvas(1.05 * OF_A_DOMAIN * len(names) + 0.4, 5.6) as figure:
        grid = figure.subplots(4, OF_A_DOMAIN * len(names), squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for line, (label, end) in enumerate((c, e) for c in (Label.LIVE, Label.SPOOF) for e in ("high W", "low W")):
            for k, name in enumerate(names):
                cell = np.flatnonzero((domain == k) & (found.frames.live == (label is Label.LIVE)))
                order = cell[np.argsort(found.weight[cell], kind="stable")]
                chosen = one_a_recording(found.frames, order[::-1] if end == "high W" else order)
                for place, row in enumerate(chosen[:OF_A_DOMAIN]):
                    axes = grid[line, k * OF_A_DOMAIN + place]
                    axes.set_axis_on()
                    show(axes, found.frames[np.array([row])].crops()[0])
                    axes.set_title((f"{name}\n" if line == 0 else "") + f"W {found.weight[row]:.3f}", fontsize=8)
            grid[line, 0].set_ylabel(f"{label.word}, {end}", fontsize=9)
    spread = "; ".join(
        f"{word}: {found.weight[of_class].min():.3f} to {found.weight[of_class].max():.3f}"
        for word, of_class in (("live", found.frames.live), ("spoof", ~found.frames.live))
    )
    return PaperFigure(
        name="drdg-4a",
        source="DRDG, figure 4a",
        title="Samples of the highest and of the lowest weight",
        caption=(
            f"{run.words}. Of a batch of {len(found.weight)} training frames ({len(found.weight) // len(names) // 2} "
            "of each domain and class) by the weight W that the SRM of their class gives them, one of a recording. W "
            f"goes from {spread}. The two classes' weights do not compare: each has its own SRM."
        ),
        expectation=(
            "Samples of high weight look alike across domains; those of low weight stand out (overexposed, tinted, of "
            "odd texture), which is what shows their domain."
        ),
        figure=figure,
    )


def one_a_recording(frames: Frames, rows: Int[ndarray, " n"]) -> Int[ndarray, " m"]:
    """Return the first of `rows` of each recording, in their order."""
    again = frames.table.iloc[rows].duplicated(["domain", "recording"]).to_numpy()
    return rows[~again]


def weighed_channels(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 4b: FRM's channels of low and of high weight, of samples of low weight."""
    found = weighed(run)
    low_samples = np.flatnonzero(found.ends(0.25)[0])
    frames = found.frames[low_samples]
    with torch.no_grad():
        encoded = found.encoded[torch.from_numpy(low_samples)]
        features = found.method.frm(encoded).double().cpu().numpy()
        weights = found.method.frm.weights(encoded).double().cpu().numpy()
    low, high = lowest_and_highest(weights, weights.shape[1] // 4)
    maps = {"low weight": channel_mean(features, low), "high weight": channel_mean(features, high)}
    first = frames.spread(8)
    with canvas(1.15 * len(first), 4.0) as figure:
        shown = frames[first]
        titles = [f"{domain}\n{species}" for domain, species in zip(shown.domain, shown.table["species"], strict=True)]
        of_shown = {name: heat[first] for name, heat in maps.items()}
        draw_rows(figure, shown.crops(), titles, of_shown, common_scale=True)
    facts = " and ".join(
        f"{percent(central_share(heat))} of the {name} channels' (mean {heat.mean():.3f})"
        for name, heat in maps.items()
    )
    return PaperFigure(
        name="drdg-4b",
        source="DRDG, figure 4b",
        title="Channels of low and of high weight, in samples of low weight",
        caption=(
            f"{run.words}. Mean over the quarter of the channels that FRM weighs least, and most, of the reweighted "
            f"features, for {len(first)} training frames among the quarter that SRM weighs least in their class; both "
            "maps of a frame on one scale. The features hold FRM's weights: part of the difference in energy is "
            "by construction. In the middle half of height and width (25 % of the crop) lie "
            f"{facts}, mean over {len(frames)} frames."
        ),
        expectation=(
            "Channels of low weight have little energy and look at background or clothes; those of high weight have "
            "much and look at the inside of the face."
        ),
        figure=figure,
    )


def frm_step(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 5a and 5b: features of samples of high and low weight before and after steps of FRM."""
    found = weighed(run)
    low, high = found.ends(0.25)
    method, live = found.method, found.frames.live

    def pooled() -> Float[ndarray, "b c"]:
        with torch.no_grad():
            return method.reweighted(found.encoded).mean(dim=(2, 3)).double().cpu().numpy()

    features = [pooled()]
    for step in range(1, FRM_STEPS + 1):
        method.frm_step(method.reweighted(found.encoded), found.batch)
        if step in (1, FRM_STEPS):
            features.append(pooled())
    before, one, after = features
    points = np.split(embed(np.concatenate([before, after])), 2)
    kinds = {"high W": (high, COLOURS[0]), "low W": (low, COLOURS[1]), "between": (~high & ~low, "0.8")}
    titles = ("(a) before", f"(b) after {FRM_STEPS} steps of FRM")
    with canvas(7.6, 4.2) as figure:
        for axes, place, title in zip(figure.subplots(1, 2, sharex=True, sharey=True), points, titles, strict=True):
            for name, (chosen, colour) in reversed(kinds.items()):
                for is_live, marker in ((True, "s"), (False, "^")):
                    x, y = place[chosen & (live == is_live)].T
                    label = f"{name}, {'live' if is_live else 'spoof'}"
                    axes.scatter(x, y, s=16, marker=marker, color=colour, linewidths=0, label=label)
            axes.set(xticks=[], yticks=[])
            axes.set_title(title, fontsize=10)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    distances = ", ".join(
        f"{outlying(of_time, low, high):.2f} {words}"
        for of_time, words in ((before, "before"), (one, "after one step"), (after, f"after {FRM_STEPS}"))
    )
    return PaperFigure(
        name="drdg-5ab",
        source="DRDG, figure 5a and b",
        title="Features of samples of high and low weight, before and after FRM's step",
        caption=(
            f"{run.words}. t-SNE, one for both panels, of the reweighted features (mean over places) of a batch of "
            f"{len(before)} training frames; high and low W are the upper and lower quarter of each class. (b) repeats "
            f"the FRM step (Algorithm 1, lines 23 and 24) {FRM_STEPS} times on this batch, with a fresh optimiser; the "
            f"training does one at a time. Distance of low-W samples from the centre over that of high-W samples: "
            f"{distances}."
        ),
        expectation=(
            "(a) High-W samples lie close together, low-W samples far from the centre (a ratio above 1); (b) the step "
            "draws low-W samples in (a smaller ratio)."
        ),
        figure=figure,
    )


def outlying(features: Float[ndarray, "b c"], low: Bool[ndarray, " b"], high: Bool[ndarray, " b"]) -> float:
    """Return the mean distance of `low` samples from the centre of all, over that of `high` samples."""
    distance = np.linalg.norm(features - features.mean(axis=0), axis=1)
    return float(distance[low].mean() / distance[high].mean())


def against_the_baseline(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 5c and 5d: features of the baseline without SRM and FRM, and of DRDG."""
    what = "a run of drdg with options.srm=none and options.frm=none"
    plain = companion(run, runs, "drdg", lambda other: modules_of(other) == ("none", "none"), what)
    frames = draw_frames(run, ["train", "target"], EMBEDDED, purpose="embedding")
    features = {
        "(c) Baseline": last_features(trained(plain, DRDG), frames),
        "(d) DRDG": last_features(trained(run, DRDG), frames),
    }
    return PaperFigure(
        name="drdg-5cd",
        source="DRDG, figure 5c and d",
        title="Features of the baseline and of DRDG, by domain and class",
        caption=(
            f"{plain.words}, without SRM and FRM, and {run.words}. t-SNE of what the output layer reads of "
            f"{len(frames)} frames, as many of each domain and class as there are; {run.task.target} is unseen. "
            f"{likeness_words(features, frames)}"
        ),
        expectation="DRDG's features are more compact, with a clearer border between the classes on the unseen domain.",
        figure=draw_embeddings(features, frames, run.domains),
    )


RECIPES = tuple(
    Recipe(f"DRDG, figure {number}", weighing_runs, "no run of drdg with both SRM and FRM", draw)
    for number, draw in (
        ("4a", weighed_samples),
        ("4b", weighed_channels),
        ("5a and b", frm_step),
        ("5c and d", against_the_baseline),
    )
)
