"""t-SNE of features, drawn by domain and class; and in numbers how near likes are to likes."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances
from threadpoolctl import threadpool_limits

from dgfas.domains.clustering import principal_components
from dgfas.reporting.figures.drawing import colour_of, panels, percent
from dgfas.reporting.figures.frames import Frames

COMPONENTS = 50  # principal components that t-SNE starts from
PERPLEXITY = 30.0
NEIGHBOURS = 5
PANEL = 3.6  # inches
LEGEND_ENTRY = 1.1  # inches
MARKERS = {True: "s", False: "^"}  # D2AM figure 4: squares are live, triangles fake
CLASS_WORDS = {True: "live", False: "spoof"}


def embed(features: Float[ndarray, "n d"]) -> Float[ndarray, "n 2"]:
    """Return the t-SNE of `features`, the same on every call: of their first 50 principal components, perplexity 30.

    Few frames lower the perplexity. Columns keep their scale.
    """
    reduced = principal_components(features.astype(np.float64), COMPONENTS)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    with threadpool_limits(1):
        points: ndarray = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    return points


def likeness(features: Float[ndarray, "n d"], label: ndarray, person: ndarray) -> float:
    """Return how many of the five nearest frames of other persons have a frame's own label: a share in [0, 1].

    `label (n,)` and `person (n,)` of any type; distances are Euclidean. The mean over labels of each label's frames, so
    that by chance two classes have 1/2. It is of the features, not of their embedding.
    """
    distance = pairwise_distances(features)
    distance[person[:, None] == person[None, :]] = np.inf
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    reached = np.isfinite(np.take_along_axis(distance, nearest, axis=1))
    same = (label[nearest] == label[:, None]) & reached
    share = same.sum(axis=1) / np.maximum(reached.sum(axis=1), 1)
    return float(np.mean([share[label == name].mean() for name in np.unique(label)]))


def scatter(
    axes: Axes, points: Float[ndarray, "n 2"], group: ndarray, live: Bool[ndarray, " n"], colours: Mapping[str, str]
) -> None:
    """Draw each point in its group's colour, live as squares and spoof as triangles, without ticks."""
    for name, colour in colours.items():
        for is_live, marker in MARKERS.items():
            x, y = points[(group == name) & (live == is_live)].T
            axes.scatter(x, y, s=14, marker=marker, color=colour, linewidths=0, alpha=0.75)
    axes.set(xticks=[], yticks=[])
    axes.margins(0.04)


def scatter_legend(figure: Figure, colours: Mapping[str, str]) -> None:
    """Say below the panels which colour is which group, and which marker which class."""
    marks = [Line2D([], [], color=c, marker="o", linestyle="", label=name) for name, c in colours.items()]
    marks += [Line2D([], [], color="0.4", marker=m, linestyle="", label=CLASS_WORDS[c]) for c, m in MARKERS.items()]
    fitting = int(figure.get_figwidth() / LEGEND_ENTRY)
    figure.legend(handles=marks, loc="outside lower center", ncols=fitting, fontsize=9, frameon=False)


def draw_embeddings(features: Mapping[str, Float[ndarray, "n d"]], frames: Frames, domains: Sequence[str]) -> Figure:
    """Return a panel for each of `features`, by its name: their t-SNE, by domain and class of `frames`."""
    colours = colour_of(domains)
    alone = len(features) == 1  # then the legend takes two lines
    with panels(len(features), 3, 4.6 if alone else PANEL, PANEL, below=1.6 if alone else 0.6) as (figure, every):
        for axes, (name, of_name) in zip(every, features.items(), strict=True):
            scatter(axes, embed(of_name), frames.domain, frames.live, colours)
            axes.set_title(name, fontsize=10)
        scatter_legend(figure, colours)
    return figure


def likeness_words(features: Mapping[str, Float[ndarray, "n d"]], frames: Frames) -> str:
    """Say, for a caption, how alike in class and domain near frames are."""
    shares = [
        f"{name}, {percent(likeness(of_name, frames.live, frames.person))} and "
        f"{percent(likeness(of_name, frames.domain, frames.person))}"
        for name, of_name in features.items()
    ]
    return (
        "Of a frame's five nearest frames of other persons, in the features themselves, so many share its class and "
        f"its domain: {'; '.join(shares)} (by chance 50 % and {percent(1 / len(set(frames.domain)))})."
    )
