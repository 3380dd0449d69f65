"""Intervals of means over seeds, and paired comparisons, against plain recomputation and simulated coverage."""

import itertools

import numpy as np
import pytest
from scipy import stats

from dgfas.evaluation.seeds import (
    compare_paired,
    holm,
    interval_of_mean,
    least_p_value,
    rank_biserial,
    variance_of_interval,
)

FIRST = {1: 0.20, 2: 0.25, 3: 0.22, 4: 0.30, 5: 0.21, 9: 0.99}
SECOND = {1: 0.25, 2: 0.27, 3: 0.21, 4: 0.38, 5: 0.24, 7: 0.01}


def test_a_comparison_by_hand() -> None:
    """Differences -.05 -.02 +.01 -.08 -.03: ranks by size 4, 2, 1, 5, 3; one is positive."""
    found = compare_paired(FIRST, SECOND)
    assert found is not None
    difference = np.array([-0.05, -0.02, 0.01, -0.08, -0.03])
    assert found.seeds == 5  # seeds that only one has take no part
    assert found.mean == pytest.approx(-0.034)
    assert found.effect_size == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert found.rank_biserial == pytest.approx((1 - (4 + 2 + 5 + 3)) / 15)
    flips = [np.mean(np.multiply(signs, difference)) for signs in itertools.product([1, -1], repeat=5)]
    assert found.p_value == pytest.approx(np.mean(np.abs(flips) >= abs(difference.mean()) - 1e-12))
    assert least_p_value(found.seeds) == 2 / 32
    assert found.interval == pytest.approx(stats.ttest_1samp(difference, 0).confidence_interval(0.95))


def test_the_comparison_turns_round_with_its_methods() -> None:
    one, other = compare_paired(FIRST, SECOND), compare_paired(SECOND, FIRST)
    assert one is not None
    assert other is not None
    assert other.mean == pytest.approx(-one.mean)
    assert other.rank_biserial == pytest.approx(-one.rank_biserial)
    assert other.p_value == pytest.approx(one.p_value)


def test_three_seeds_can_never_be_significant() -> None:
    found = compare_paired({1: 0.1, 2: 0.1, 3: 0.1}, {1: 0.5, 2: 0.6, 3: 0.7})
    assert found is not None
    assert found.p_value == least_p_value(found.seeds) == 0.25


@pytest.mark.parametrize("counts", [[5, 4, -2, 6, 8, 6, 5, -3], [1, 1, 1, -2], [-3, -9, 9, 3], [1, 1, 2, -1, -1]])
def test_sign_patterns_that_tie_are_counted_as_ties(counts: list[int]) -> None:
    """Differences are counts of 70 recordings; the patterns are counted in whole numbers, where ties are exact."""
    first, second = ({seed: (20 + each) / 70 for seed, each in enumerate(some)} for some in (counts, [0] * len(counts)))
    sums = [abs(sum(np.multiply(signs, counts))) for signs in itertools.product([1, -1], repeat=len(counts))]
    found = compare_paired(first, second)
    assert found is not None
    assert found.p_value == pytest.approx(np.mean(np.array(sums) >= abs(sum(counts))))


def test_what_does_not_differ_or_is_not_paired() -> None:
    same = compare_paired(FIRST, FIRST)
    assert same is not None
    assert (same.mean, same.effect_size, same.rank_biserial, same.p_value) == (0, None, 0, 1)
    assert compare_paired({1: 0.1}, {2: 0.1}) is None
    one = compare_paired({1: 0.1}, {1: 0.2})
    assert one is not None
    assert (one.interval, one.p_value, least_p_value(one.seeds)) == (None, 1, 1)


def test_differences_that_are_equal_but_for_rounding_have_no_interval_and_no_rank() -> None:
    rates = {1: 0.3, 2: 0.2, 3: 0.1}
    equal = compare_paired(rates, {seed: rate + 0.1 for seed, rate in rates.items()})
    assert equal is not None
    assert equal.mean == pytest.approx(-0.1)
    assert (equal.interval, equal.effect_size, equal.rank_biserial) == (None, None, -1)
    none = compare_paired({1: 0.1 + 0.2, 2: 0.4}, {1: 0.3, 2: 0.4})
    assert none is not None
    assert (none.mean, none.rank_biserial, none.p_value) == (0, 0, 1)


def test_the_sign_flip_test_keeps_its_level() -> None:
    """Without a difference p <= .05 comes in at most about 5 % of studies; with one of 2 deviations in most."""
    random = np.random.default_rng(1)

    def share(shift: float) -> float:
        studies = random.normal(shift, 1, (150, 8))
        pairs = [compare_paired(dict(enumerate(study)), dict.fromkeys(range(8), 0.0)) for study in studies]
        return float(np.mean([pair is not None and pair.p_value <= 0.05 for pair in pairs]))

    assert share(0) <= 0.1
    assert share(2) >= 0.9


def test_ranks_of_equal_size_are_shared() -> None:
    assert rank_biserial(np.array([0.1, -0.1, 0.2, 0.0])) == pytest.approx((1.5 - 1.5 + 3) / 6)


def test_holm_by_hand() -> None:
    """.01 x 3, then .02 x 2 = .04, then .03 x 1, raised to .04; nothing above 1."""
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


def test_an_interval_over_seeds_of_their_own_persons_is_students() -> None:
    values = [0.2, 0.3, 0.25]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    for variance in ([], [1e-6] * 3):
        assert interval_of_mean(values, variance, same_persons=False) == pytest.approx(
            (max(0, expected[0]), expected[1])
        )
    assert interval_of_mean([0.2], [], same_persons=True) is None


def test_seeds_that_agree_by_chance_are_no_surer_than_their_persons() -> None:
    """Three seeds without an error on persons of their own: not [0, 0], but by a third of a seed's variance."""
    variance = variance_of_interval(0.0, (0.0, 0.06))
    found = interval_of_mean([0.0] * 3, [variance] * 3, same_persons=False)
    assert found == pytest.approx((0, stats.t.ppf(0.975, 2) * np.sqrt(variance / 3)))
    assert interval_of_mean([0.0] * 3, [variance] * 3, same_persons=True) == pytest.approx((0, 0.06))


def test_one_seed_has_the_interval_of_its_persons() -> None:
    low, high = 0.15, 0.27
    variance = [variance_of_interval(0.21, (low, high))]
    assert interval_of_mean([0.21], variance, same_persons=True) == pytest.approx((low, high))
    assert interval_of_mean([0.21], variance, same_persons=False) == pytest.approx((low, high))


@pytest.mark.parametrize("same_persons", [True, False])
def test_the_interval_holds_the_truth_as_often_as_it_says(same_persons: bool) -> None:
    """Persons (deviation .04) and trainings (.03) vary; leaving the shared persons out is too sure of itself."""
    random = np.random.default_rng(2)
    truth, seeds, trials = 0.3, 5, 600
    held, held_without = 0, 0
    for _ in range(trials):
        persons = random.normal(0, 0.04, 1 if same_persons else seeds)
        values = list(truth + persons + random.normal(0, 0.03, seeds))
        intervals = [interval_of_mean(values, [0.04**2] * seeds, same_persons=same) for same in (same_persons, False)]
        assert intervals[0] is not None
        assert intervals[1] is not None
        held += intervals[0][0] <= truth <= intervals[0][1]
        held_without += intervals[1][0] <= truth <= intervals[1][1]
    assert 0.92 <= held / trials <= 0.99
    if same_persons:
        assert held_without / trials < 0.8
