"""ANRL's figures 5 to 7: the balance of batch and instance normalisation inside AFNM."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from dgfas.methods.anrl import ANRL
from dgfas.networks.normalization import AFNM
from dgfas.reporting.figures.drawing import canvas, panels, percent
from dgfas.reporting.figures.features import collect, trained
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, of_method, one_a_task
from dgfas.reporting.figures.frames import Frames, draw_frames
from dgfas.reporting.figures.maps import central_share, channel_mean, draw_rows, lowest_and_highest
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import COLOURS

NEEDS_AFNM = "no run of anrl with options.normalization=afnm"
MEASURED = 256  # frames that numbers are from
SHOWN = 8  # frames that maps are shown of
VARYING = 12  # channels in figure 7e and f
SAMPLES = 24  # samples of each class in figure 7e and f


def normalization_of(run: FinishedRun) -> str:
    return str(run.config.options["normalization"])


def adaptive(run: FinishedRun) -> bool:
    return normalization_of(run).startswith("afnm")


def adaptive_runs(runs: Runs) -> list[FinishedRun]:
    """Return the runs of anrl whose normalisation is its own."""
    return [run for run in of_method(runs, "anrl") if adaptive(run)]


def first_adaptive_run(runs: Runs) -> list[FinishedRun]:
    return adaptive_runs(runs)[:1]


def last_afnm(run: FinishedRun, frames: Frames) -> dict[str, Float[ndarray, "n ..."]]:
    """Return alpha and the outputs of both normalisations in the last AFNM of the encoder."""
    method = trained(run, ANRL)
    layer = [module for module in method.encoder.modules() if isinstance(module, AFNM)][-1]
    parts = {"alpha": layer.balance, "batch": layer.batch, "instance": layer.instance}
    return collect(method, frames, parts, lambda outputs: outputs)


def channels_by_weight(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 5: channels of low and high weight of BN and of IN."""
    frames = draw_frames(run, ["target"], MEASURED, purpose="maps")
    found = last_afnm(run, frames)
    low, high = lowest_and_highest(found["alpha"], found["alpha"].shape[1] // 4)
    maps = {
        "BN, low": channel_mean(found["batch"], low),
        "BN, high": channel_mean(found["batch"], high),
        "IN, low": channel_mean(found["instance"], high),  # the weight of IN is 1 - alpha
        "IN, high": channel_mean(found["instance"], low),
    }
    return maps_figure(
        run,
        frames,
        maps,
        name="anrl-5",
        title="Channels of low and of high weight of BN and IN",
        what=(
            "Mean over the quarter of the channels with the lowest, and with the highest, weight of each frame (alpha "
            "of BN, 1 − alpha of IN), positive parts, each map scaled to its own maximum"
        ),
        expectation="High-weight channels look at the face, low-weight ones at hands and background.",
    )


def weighted_maps(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figure 6: weighted maps of BN and IN and their fusion."""
    frames = draw_frames(run, ["target"], MEASURED, purpose="maps")
    found = last_afnm(run, frames)
    alpha = found["alpha"][:, :, None, None]
    batch, instance = alpha * found["batch"], (1 - alpha) * found["instance"]
    every = np.broadcast_to(np.arange(alpha.shape[1]), alpha.shape[:2])
    parts = {"α BN": batch, "(1−α) IN": instance, "fused": batch + instance}
    return maps_figure(
        run,
        frames,
        {name: channel_mean(part, every) for name, part in parts.items()},
        name="anrl-6",
        title="Weighted maps of BN and IN, and their fusion",
        what="Mean over all channels of the positive parts, each map scaled to its own maximum",
        expectation="The two weighted maps complement each other, and the fused one covers the face more completely.",
    )


def maps_figure(
    run: FinishedRun,
    frames: Frames,
    maps: dict[str, Float[ndarray, "n h w"]],
    *,
    name: str,
    title: str,
    what: str,
    expectation: str,
) -> PaperFigure:
    first = frames.spread(SHOWN, ["species"])
    shown = frames[first]
    with canvas(1.15 * len(first), 1.28 * (1 + len(maps))) as figure:
        of_shown = {row: heat[first] for row, heat in maps.items()}
        draw_rows(figure, shown.crops(), list(shown.table["species"]), of_shown)
    shares = ", ".join(f"{row}: {percent(central_share(heat))}" for row, heat in maps.items())
    return PaperFigure(
        name=name,
        source=f"ANRL, figure {name.rpartition('-')[2]}",
        title=title,
        caption=(
            f"{run.words}. The encoder's last AFNM (the paper's AFNM3), {len(first)} frames of {run.task.target}. "
            f"{what}. Share in the middle half of height and width (25 % of the crop), mean over {len(frames)} frames: "
            f"{shares}."
        ),
        expectation=expectation,
        figure=figure,
    )


def all_alphas(run: FinishedRun, frames: Frames) -> list[Float[ndarray, "n c"]]:
    """Return alpha of every AFNM, from input to output."""
    method = trained(run, ANRL)
    layers = [module.balance for module in method.encoder.modules() if isinstance(module, AFNM)]
    names = {f"{number:02d}": layer for number, layer in enumerate(layers)}
    found = collect(method, frames, names, lambda outputs: outputs)
    return [found[name] for name in names]


def mean_alphas(first: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 7a to d: the mean of alpha by layer, a panel a task."""
    chosen = one_a_task(adaptive_runs(runs))
    numbers = []
    with panels(len(chosen), 2, 4.2, 2.7) as (figure, every):
        for axes, run in zip(every, chosen, strict=True):
            frames = draw_frames(run, ["target"], MEASURED, purpose="alpha")
            numbers.append(len(frames))
            means = [float(alpha.mean()) for alpha in all_alphas(run, frames)]
            bars = axes.bar(range(1, len(means) + 1), means, color=COLOURS[0])
            axes.bar_label(bars, fmt="%.2f", fontsize=7)
            axes.axhline(0.5, color="0.4", linewidth=0.8, linestyle=":")
            axes.set(ylim=(0, 1.08), ylabel="mean of α", xlabel="layer", xticks=range(1, len(means) + 1))
            axes.set_title(str(run.task), fontsize=9)
    return PaperFigure(
        name="anrl-7ad",
        source="ANRL, figure 7a to d",
        title="How much of batch normalisation each layer takes, by task",
        caption=(
            f"{'; '.join(run.words for run in chosen)}. Mean of alpha (1 = batch, 0 = instance normalisation) over the "
            f"channels of each AFNM, from input to output, and over {' or '.join(map(str, dict.fromkeys(numbers)))} "
            "frames of the unseen domain. Dotted: 0.5, where alpha starts (near it with afnm_1layer)."
        ),
        expectation="Near the input alpha falls towards 0 (instance), near the output it rises towards 1 (batch).",
        figure=figure,
    )


def alpha_of_samples(run: FinishedRun, runs: Runs) -> PaperFigure:
    """Draw figures 7e and f: the channels of the first layer's alpha that differ most between samples."""
    frames = draw_frames(run, ["target"], 2 * MEASURED, purpose="alpha")
    alpha = all_alphas(run, frames)[0]
    channels = np.argsort(-alpha.var(axis=0), kind="stable")[:VARYING]
    classes = {"live": np.flatnonzero(frames.live), "spoof": np.flatnonzero(~frames.live)}
    mean = alpha[:, channels].mean(axis=0)
    apart = alpha[:, channels] - mean
    largest = float(np.abs(apart).max())
    with canvas(8.2, 3.6) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (word, rows) in zip(panels, classes.items(), strict=True):
            shown = rows[frames[rows].spread(SAMPLES)]
            image = axes.imshow(apart[shown].T, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
            axes.set(title=word, xlabel="sample", xticks=[], yticks=range(len(channels)))
            axes.set_yticklabels([f"c{k}, mean {middle:.2f}" for k, middle in enumerate(mean, start=1)], fontsize=8)
        figure.colorbar(image, ax=panels, label="α − the channel's mean")
    spread = ", ".join(f"{word} {apart[rows].std(axis=0).mean():.4f}" for word, rows in classes.items())
    return PaperFigure(
        name="anrl-7ef",
        source="ANRL, figure 7e and f",
        title="How alpha differs between samples",
        caption=(
            f"{run.words}. Alpha of the {len(channels)} channels of the first AFNM that vary most over {len(frames)} "
            f"frames of {run.task.target}, against each channel's mean; at most {SAMPLES} "
            f"of each class are shown. Standard deviation over samples, "
            f"mean over these channels: {spread}."
        ),
        expectation="Alpha differs from sample to sample, and more among spoof than among live samples.",
        figure=figure,
    )


BALANCE_RECIPES = tuple(
    Recipe(f"ANRL, figure {number}", subjects, NEEDS_AFNM, draw)
    for number, subjects, draw in (
        ("5", adaptive_runs, channels_by_weight),
        ("6", adaptive_runs, weighted_maps),
        ("7a to d", first_adaptive_run, mean_alphas),
        ("7e and f", adaptive_runs, alpha_of_samples),
    )
)
