"""How sure a rate is: exact intervals of counts, and a bootstrap that draws whole persons."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from dgfas.core.seeding import stable_rng

Interval = tuple[float, float]

RESAMPLES_AT_ONCE = 500  # bounds the memory of the bootstrap
MOST_PAIRED = 4000  # persons of whom each pair has a number in memory


@dataclass(frozen=True)
class BootstrapIntervals:
    """Intervals of HTER and AUC; empty where fewer than two persons or no usable resample leave nothing to vary.

    `exact` names those ("hter", "auc") that are not of the bootstrap: where no error was seen, no resample can hold
    one, so that an exact interval over persons stands in its place.
    """

    hter: Interval | None
    auc: Interval | None
    persons: int
    resamples: int
    unusable: int  # resamples without live or without spoof, left out
    exact: tuple[str, ...] = ()


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a share of `count` in `total` independent trials (Clopper and Pearson 1934).

    Without trials it is (0, 1). Raises ValueError unless 0 <= count <= total.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(beta.ppf(tail, count, total - count + 1))
    high = 1.0 if count == total else float(beta.ppf(1 - tail, count + 1, total - count))
    return low, high


def bootstrap_by_person(
    score: np.ndarray,
    is_live: np.ndarray,
    person: np.ndarray,
    threshold: float,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> BootstrapIntervals:
    """Return percentile intervals of HTER at `threshold` and of AUC when persons are drawn with replacement.

    `score (N,)`, `is_live (N,)`, `person (N,)` in 0..P-1. Both are exact for each resample: errors are counted once a
    person, and live-over-spoof pairs as `count_wins` says.
    """
    persons = int(person.max()) + 1
    if persons < 2:
        return BootstrapIntervals(None, None, persons, 0, 0)
    accepted = score >= threshold
    kinds = [is_live, is_live & ~accepted, ~is_live, ~is_live & accepted]
    counts = np.stack([np.bincount(person[kind], minlength=persons) for kind in kinds], axis=1).astype(float)
    wins = count_wins(score, is_live, person)
    random = stable_rng("bootstrap by person", seed)
    hters, aucs = [], []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, resamples - start)
        drawn = random.multinomial(persons, np.full(persons, 1 / persons), size=size).astype(float)
        live, rejected_live, spoof, accepted_spoof = (drawn @ counts).T
        usable = (live > 0) & (spoof > 0)
        drawn, live, spoof = drawn[usable], live[usable], spoof[usable]
        hters.append((accepted_spoof[usable] / spoof + rejected_live[usable] / live) / 2)
        aucs.append(wins(drawn) / (live * spoof))
    hter, auc = np.concatenate(hters), np.concatenate(aucs)
    intervals = {"hter": _percentiles(hter, confidence), "auc": _percentiles(auc, confidence)}
    without_error = _intervals_without_error(counts, wins(np.ones((1, persons)))[0], confidence)
    intervals |= without_error
    unusable = resamples - len(hter)
    return BootstrapIntervals(
        **intervals, persons=persons, resamples=resamples, unusable=unusable, exact=tuple(without_error)
    )


def _intervals_without_error(counts: np.ndarray, wins: float, confidence: float) -> dict[str, Interval | None]:
    """Return the exact intervals of those of HTER and AUC that show no error at all; none of the others.

    `counts (P, 4)`: live, rejected live, spoof and accepted spoof presentations of each person; `wins` of all pairs. No
    person with live erred, nor one with spoof: each share of erring persons is below the upper Clopper-Pearson limit
    of 0, and HTER below the mean of both. For AUC the trials are disjoint pairs of a live and another spoof person,
    none of which was in the wrong order. Both intervals hold at least as often as `confidence` says.
    """
    live, rejected_live, spoof, accepted_spoof = counts.sum(axis=0)
    live_persons, spoof_persons = int((counts[:, 0] > 0).sum()), int((counts[:, 2] > 0).sum())
    found: dict[str, Interval | None] = {}
    if rejected_live == 0 and accepted_spoof == 0:
        limits = [clopper_pearson(0, persons, confidence)[1] for persons in (live_persons, spoof_persons)]
        found["hter"] = (0.0, sum(limits) / 2)
    if wins == live * spoof:
        pairs = min(live_persons, spoof_persons, len(counts) // 2)
        found["auc"] = (1 - clopper_pearson(0, pairs, confidence)[1], 1.0)
    return found


def count_wins(score: np.ndarray, is_live: np.ndarray, person: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what counts how often live scores exceed spoof scores, equal ones half, in draws `(R, P)` of persons.

    Of up to `MOST_PAIRED` persons each pair is counted once for all draws; of more each draw is one pass over the
    sorted scores. Both are exact.
    """
    if int(person.max()) < MOST_PAIRED:
        wins = pair_wins(score, is_live, person)
        return lambda drawn: ((drawn @ wins) * drawn).sum(axis=1)
    order = np.argsort(score, kind="stable")
    score, is_live, person = score[order], is_live[order], person[order]
    below, not_above = (np.searchsorted(score, score[is_live], side=side) for side in ("left", "right"))

    def count(times: np.ndarray) -> float:
        weight = times[person]
        spoofs = np.concatenate([[0.0], np.cumsum(np.where(is_live, 0, weight))])
        return float(weight[is_live] @ (spoofs[below] + spoofs[not_above])) / 2

    return lambda drawn: np.array([count(times) for times in drawn])


def pair_wins(score: np.ndarray, is_live: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Count `(P, P)` how often live scores of one person exceed spoof scores of another; equal ones count half."""
    persons = int(person.max()) + 1
    order = np.argsort(score, kind="stable")
    score, is_live, person = score[order], is_live[order], person[order]
    live_score, live_person = score[is_live], person[is_live]
    wins = np.zeros((persons, persons))
    for other in np.unique(person[~is_live]):
        spoof_score = score[~is_live & (person == other)]
        below = np.searchsorted(spoof_score, live_score, side="left")
        not_above = np.searchsorted(spoof_score, live_score, side="right")
        wins[:, other] = np.bincount(live_person, weights=(below + not_above) / 2, minlength=persons)
    return wins


def _percentiles(values: np.ndarray, confidence: float) -> Interval | None:
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
