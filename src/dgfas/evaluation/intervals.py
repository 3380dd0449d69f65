"""How sure a rate is: exact intervals of counts, and a bootstrap that draws whole persons."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from dgfas.core.seeding import stable_rng

Interval = tuple[float, float]

RESAMPLES_AT_ONCE = 500  # bounds the memory of the bootstrap


@dataclass(frozen=True)
class BootstrapIntervals:
    """Intervals of HTER and AUC; empty where fewer than two persons or no usable resample leave nothing to vary."""

    hter: Interval | None
    auc: Interval | None
    persons: int
    resamples: int
    unusable: int  # resamples without live or without spoof, left out


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
    person, and live-over-spoof pairs once a pair of persons, so that a resample is a product of counts.
    """
    persons = int(person.max()) + 1
    if persons < 2:
        return BootstrapIntervals(None, None, persons, 0, 0)
    accepted = score >= threshold
    kinds = [is_live, is_live & ~accepted, ~is_live, ~is_live & accepted]
    counts = np.stack([np.bincount(person[kind], minlength=persons) for kind in kinds], axis=1).astype(float)
    wins = pair_wins(score, is_live, person)
    random = stable_rng("bootstrap by person", seed)
    hters, aucs = [], []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, resamples - start)
        drawn = random.multinomial(persons, np.full(persons, 1 / persons), size=size).astype(float)
        live, rejected_live, spoof, accepted_spoof = (drawn @ counts).T
        usable = (live > 0) & (spoof > 0)
        drawn, live, spoof = drawn[usable], live[usable], spoof[usable]
        hters.append((accepted_spoof[usable] / spoof + rejected_live[usable] / live) / 2)
        aucs.append(((drawn @ wins) * drawn).sum(axis=1) / (live * spoof))
    hter, auc = np.concatenate(hters), np.concatenate(aucs)
    return BootstrapIntervals(
        _percentiles(hter, confidence), _percentiles(auc, confidence), persons, resamples, resamples - len(hter)
    )


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
