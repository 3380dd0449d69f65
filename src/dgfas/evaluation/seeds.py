"""What several seeds say together: the interval of a mean over seeds, and the paired comparison of two methods."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from dgfas.evaluation.intervals import Interval

RESAMPLES = 100_000  # of signs, where there are too many to try them all


def interval_of_mean(
    values: Sequence[float], person_variance: Sequence[float], *, same_persons: bool, confidence: float = 0.95
) -> Interval | None:
    """Return the interval of the mean over seeds of a rate in [0, 1], for new seeds and new persons.

    `values (S,)` are the rates, `person_variance (S,)` the variance of each when persons are drawn anew (see
    `variance_of_interval`; empty if unknown). If all seeds were measured on the `same_persons`, their choice moves all
    seeds alike: its variance is added to the variance between seeds over S. Otherwise the variance between seeds holds
    it already, and is taken to be no smaller than it. Student's t with the degrees of freedom of Welch and
    Satterthwaite. Without any variance there is no interval.
    """
    number = len(values)
    persons = float(np.mean(person_variance)) if len(person_variance) else 0.0
    seeds = float(np.var(values, ddof=1)) / number if number > 1 else 0.0
    if not same_persons and number > 1:
        seeds, persons = max(seeds, persons / number), 0.0
    if not seeds + persons:
        return None
    freedom = (seeds + persons) ** 2 / (seeds**2 / (number - 1)) if seeds else math.inf
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * math.sqrt(seeds + persons)
    mean = float(np.mean(values))
    return max(0.0, mean - half), min(1.0, mean + half)


def variance_of_interval(value: float, interval: Interval, confidence: float = 0.95) -> float:
    """Return the variance that the bootstrap interval of `value` over persons stands for, by its farther limit.

    (distance / normal quantile) squared: of no error seen the interval is one-sided, and half its width too little.
    """
    distance = max(interval[1] - value, value - interval[0])
    return (distance / float(stats.norm.ppf((1 + confidence) / 2))) ** 2


@dataclass(frozen=True)
class PairedComparison:
    """Two methods on the same seeds; differences are the first minus the second, in the unit of what was compared."""

    seeds: int
    mean: float
    interval: Interval | None  # 95 % of the mean difference, Student's t over seeds; None if all differences are equal
    effect_size: float | None  # Cohen's d_z: mean difference / standard deviation of the differences
    rank_biserial: float  # matched pairs (Kerby 2014): -1 the second is always higher .. 1 the first is
    p_value: float  # two-sided, exact sign-flip permutation test of the mean difference


def least_p_value(seeds: int) -> float:
    """Return the lowest p-value that a paired comparison of so many seeds can give."""
    return min(1.0, 2.0 ** (1 - seeds))


def compare_paired(first: Mapping[int, float], second: Mapping[int, float]) -> PairedComparison | None:
    """Compare two methods by their values at each seed that both have; None if they share no seed.

    The values are each seed's mean over tasks, so that a seed (of data and training alike) is one independent trial.
    Under the null hypothesis the sign of each difference is a fair coin; all sign patterns are tried, from 17 seeds on
    a random sample of 100,000.
    """
    shared = sorted(set(first) & set(second))
    if not shared:
        return None
    difference = np.round([first[seed] - second[seed] for seed in shared], 12)  # or rounding errors would have ranks
    number, mean = len(difference), float(difference.mean())
    equal = not np.ptp(difference)  # then nothing is known of their spread
    deviation = 0.0 if equal else float(difference.std(ddof=1))
    interval = None
    if not equal:
        half = float(stats.t.ppf(0.975, number - 1)) * deviation / math.sqrt(number)
        interval = (mean - half, mean + half)
    return PairedComparison(
        seeds=number,
        mean=mean,
        interval=interval,
        effect_size=mean / deviation if deviation > 0 else None,
        rank_biserial=rank_biserial(difference),
        p_value=_sign_flip(difference),
    )


def rank_biserial(difference: np.ndarray) -> float:
    """Return (ranks of positive - ranks of negative differences) / all ranks `(S,)`, by size; 0 where all are zero."""
    difference = difference[difference != 0]
    if not difference.size:
        return 0.0
    ranks = stats.rankdata(np.abs(difference))
    return float(((difference > 0) * ranks - (difference < 0) * ranks).sum() / ranks.sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values `(M,)` corrected for M comparisons, in their order (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    raised = np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(raised, 1)
    return corrected.tolist()


def _sign_flip(difference: np.ndarray) -> float:
    if not difference.any():
        return 1.0
    if len(difference) == 1:
        return 1.0
    result = stats.permutation_test(
        (difference,),
        lambda sample, axis: sample.mean(axis=axis).round(9),  # or rounding errors would break ties of sign patterns
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)
