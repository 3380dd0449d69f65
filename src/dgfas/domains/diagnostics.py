"""What a clustering looks like: sizes, what it agrees with, how far its domains are apart; and signs of collapse."""

from itertools import combinations, pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn.metrics import homogeneity_score, normalized_mutual_info_score
from sklearn.metrics.pairwise import euclidean_distances

from dgfas.core.collapse import CollapseWatch
from dgfas.core.label import Label

#: A domain with a smaller share of the frames is called nearly empty.
LEAST_SHARE = 0.01
#: Where a frame's domain gives away more than this share of the information on its class, domains are parts of classes.
MOST_CLASS_GIVEN_AWAY = 0.8
#: Frames a domain that the discrepancy is estimated from.
DISCREPANCY_FRAMES = 200


def agreement(domain: Int[ndarray, " n"], other: ndarray, average: str) -> float:
    """Return the normalised mutual information of two labellings, in [0, 1]; `average` is its normaliser."""
    return float(normalized_mutual_info_score(other, domain, average_method=average))


def describe(
    domain: Int[ndarray, " n"],
    n_domains: int,
    live: Bool[ndarray, " n"],
    given: Int[ndarray, " n"] | None,
    previous: Int[ndarray, " n"] | None,
) -> dict[str, float]:
    """Return cluster sizes, the number of (domain, class) cells without frames, and the agreement with other labels.

    `class_given_away` is the mutual information of domain and class over the entropy of the class: 1 where every domain
    holds one class only, which `nmi_class` does not reach for more than two domains. The normaliser of the others is
    geometric for class and given domains and arithmetic for the previous clustering, as in the code of Matsuura and
    Harada (AAAI 2020) that D2AM builds on.
    """
    log = {f"size_{k}": float(count) for k, count in enumerate(np.bincount(domain, minlength=n_domains))}
    log["empty_cells"] = float(len(empty_cells(domain, n_domains, live)))
    log["nmi_class"] = agreement(domain, live, "geometric")
    log["class_given_away"] = float(homogeneity_score(live, domain))
    if given is not None:
        log["nmi_given"] = agreement(domain, given, "geometric")
    if previous is not None:
        log["nmi_previous"] = agreement(domain, previous, "arithmetic")
    return log


def empty_cells(domain: Int[ndarray, " n"], n_domains: int, live: Bool[ndarray, " n"]) -> list[tuple[int, str]]:
    """Return the (domain, class) pairs without frames."""
    return [
        (k, label.word)
        for k in range(n_domains)
        for label in (Label.LIVE, Label.SPOOF)
        if not ((domain == k) & (live == (label is Label.LIVE))).any()
    ]


def notes_on_cells(domain: Int[ndarray, " n"], n_domains: int, live: Bool[ndarray, " n"]) -> list[str]:
    """Return a sentence for each cell without frames: what batches take instead."""
    return [
        f"domain {k} has no {word} frame; batches draw its {word} frames from all domains"
        for k, word in empty_cells(domain, n_domains, live)
    ]


def discrepancy(features: Float[ndarray, "n d"], domain: Int[ndarray, " n"], rng: np.random.Generator) -> float:
    """Return the squared MMD between two domains, averaged over all pairs (D2AM figure 7a).

    From at most 200 random frames a domain; Gaussian kernels of 5 bandwidths around the mean squared distance.
    """
    members = [np.flatnonzero(domain == k) for k in np.unique(domain)]
    drawn = [rng.permutation(rows)[:DISCREPANCY_FRAMES] for rows in members]
    if len(drawn) < 2:
        return 0.0
    rows = np.concatenate(drawn)
    distance = euclidean_distances(features[rows].astype(np.float64), squared=True)
    bandwidth = max(distance.sum() / (len(rows) ** 2 - len(rows)), 1e-12)
    kernel = sum(np.exp(-distance / (bandwidth * 2.0**power)) for power in range(-2, 3))
    edges = np.cumsum([0, *map(len, drawn)])
    parts = [slice(*pair) for pair in pairwise(edges)]
    pairs = [kernel[a, a].mean() + kernel[b, b].mean() - 2 * kernel[a, b].mean() for a, b in combinations(parts, 2)]
    return float(np.mean(pairs))


def warn_of_collapse(watch: CollapseWatch, log: dict[str, float], n_domains: int) -> None:
    """Warn if the domains that `log` (of `describe`) describes are the classes, or one is nearly empty."""
    sizes = np.array([log[f"size_{k}"] for k in range(n_domains)])
    watch.report(
        "size",
        bool(sizes.min() < LEAST_SHARE * sizes.sum()),
        f"a pseudo-domain holds {sizes.min():.0f} of {sizes.sum():.0f} frames; lower domains.k",
    )
    watch.report(
        "class",
        log["class_given_away"] > MOST_CLASS_GIVEN_AWAY,
        f"the pseudo-domains divide live from spoof ({log['class_given_away']:.0%} of the class is known from them); "
        "meta-learning across them learns little",
    )
