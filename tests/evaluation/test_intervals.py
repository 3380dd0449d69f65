"""Intervals against textbook values, a slow bootstrap and known coverage."""

import numpy as np
import pytest
from scipy.stats import binomtest

from dgfas.core.seeding import stable_rng
from dgfas.evaluation import metrics
from dgfas.evaluation.intervals import bootstrap_by_person, clopper_pearson, pair_wins


def test_clopper_pearson_agrees_with_scipy_and_the_rule_of_three() -> None:
    for count, total in [(0, 150), (3, 70), (70, 70), (1, 2), (5, 900)]:
        exact = binomtest(count, total).proportion_ci(method="exact")
        assert clopper_pearson(count, total) == pytest.approx((exact.low, exact.high))
    low, high = clopper_pearson(0, 150)
    assert low == 0
    assert high == pytest.approx(0.0243, abs=1e-4)
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="share"):
        clopper_pearson(3, 2)


def sample(seed: int, persons: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), each)
    is_live = random.random(persons * each) < 0.5
    score = np.round(0.3 * random.random(persons)[person] + 0.5 * random.random(len(person)) + 0.2 * is_live, 2)
    score[random.random(len(score)) < 0.05] = -np.inf
    return score, is_live, person


def test_pairs_are_counted_as_by_plain_loops() -> None:
    score, is_live, person = sample(0, persons=4, each=6)
    wins = np.zeros((4, 4))
    for i in np.flatnonzero(is_live):
        for j in np.flatnonzero(~is_live):
            wins[person[i], person[j]] += (score[i] > score[j]) + 0.5 * (score[i] == score[j])
    np.testing.assert_array_equal(pair_wins(score, is_live, person), wins)


def test_the_fast_bootstrap_equals_a_slow_one() -> None:
    score, is_live, person = sample(1, persons=7, each=8)
    fast = bootstrap_by_person(score, is_live, person, 0.5, resamples=400, seed=3)
    drawn = stable_rng("bootstrap by person", 3).multinomial(7, np.full(7, 1 / 7), size=400)
    hters, aucs = [], []
    for times in drawn:
        rows = np.concatenate([np.repeat(np.flatnonzero(person == p), times[p]) for p in range(7)])
        hters.append(metrics.hter_at(score[rows], is_live[rows], 0.5))
        aucs.append(metrics.auc(score[rows], is_live[rows]))
    assert fast.hter == pytest.approx(tuple(np.quantile(hters, [0.025, 0.975])))
    assert fast.auc == pytest.approx(tuple(np.quantile(aucs, [0.025, 0.975])))
    assert (fast.persons, fast.resamples, fast.unusable) == (7, 400, 0)


def test_many_persons_are_counted_without_their_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        score, is_live, person = sample(seed, persons=30, each=5)
        paired = bootstrap_by_person(score, is_live, person, 0.5, resamples=600)
        with monkeypatch.context() as patch:
            patch.setattr("dgfas.evaluation.intervals.MOST_PAIRED", 29)
            patch.setattr("dgfas.evaluation.intervals.pair_wins", None)
            assert bootstrap_by_person(score, is_live, person, 0.5, resamples=600) == paired


def test_the_seed_alone_decides() -> None:
    data = sample(2, persons=9, each=5)
    first = bootstrap_by_person(*data, threshold=0.5, resamples=1200, seed=1)
    assert first == bootstrap_by_person(*data, threshold=0.5, resamples=1200, seed=1)
    assert first != bootstrap_by_person(*data, threshold=0.5, resamples=1200, seed=2)


def test_persons_and_not_frames_are_drawn() -> None:
    """Copying every frame ten times adds no knowledge, so that the interval must not shrink."""
    score, is_live, person = sample(4, persons=10, each=6)
    once = bootstrap_by_person(score, is_live, person, 0.5, resamples=500)
    copied = bootstrap_by_person(*(np.repeat(a, 10) for a in (score, is_live, person)), threshold=0.5, resamples=500)
    assert once.hter == pytest.approx(copied.hter)
    assert once.auc == pytest.approx(copied.auc)


def test_resamples_without_a_class_are_left_out_and_counted() -> None:
    score, is_live = np.array([0.9, 0.1]), np.array([True, False])
    intervals = bootstrap_by_person(score, is_live, np.array([0, 1]), 0.5, resamples=1000)
    assert intervals.unusable == pytest.approx(500, abs=60)
    assert intervals.exact == ("hter", "auc")
    one = bootstrap_by_person(score, is_live, np.array([0, 0]), 0.5)
    assert (one.hter, one.auc, one.persons) == (None, None, 1)


def without_error(persons: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two live frames of each person, and two spoof frames of all but the first; none in the wrong order."""
    person = np.concatenate([np.repeat(np.arange(persons), 2), np.repeat(np.arange(1, persons), 2)])
    is_live = np.arange(len(person)) < 2 * persons
    return np.where(is_live, 0.9, 0.1), is_live, person


def test_without_an_error_the_interval_is_exact_over_persons() -> None:
    score, is_live, person = without_error(10)
    intervals = bootstrap_by_person(score, is_live, person, 0.5, resamples=50)
    upper = (clopper_pearson(0, 10)[1] + clopper_pearson(0, 9)[1]) / 2
    assert intervals.hter == pytest.approx((0.0, upper))
    assert intervals.auc == pytest.approx((1 - clopper_pearson(0, 5)[1], 1.0))
    assert intervals.exact == ("hter", "auc")
    # ten times the frames of the same persons are no more knowledge
    more = bootstrap_by_person(*(np.repeat(a, 10) for a in (score, is_live, person)), threshold=0.5, resamples=50)
    assert (more.hter, more.auc) == (intervals.hter, intervals.auc)
    # a threshold that rejects all live leaves only AUC without an error
    assert bootstrap_by_person(score, is_live, person, 0.95, resamples=50).exact == ("auc",)
    score[0] = 0.05
    assert bootstrap_by_person(score, is_live, person, 0.5, resamples=50).exact == ()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """150 samples of 40 persons whose frames share a shift; the HTER at 0.5 over all persons is known by symmetry."""
    random = np.random.default_rng(8)
    big_shift = random.normal(0, 0.3, 400_000)
    truth = float(np.mean(0.6 + big_shift + random.normal(0, 0.2, 400_000) < 0.5))
    covered = 0
    for _ in range(150):
        person = np.repeat(np.arange(40), 10)
        is_live = np.tile([True, False], 200)
        shift = random.normal(0, 0.3, (40, 2))[person, is_live.astype(int)]
        score = np.where(is_live, 0.6, 0.4) + shift + random.normal(0, 0.2, 400)
        low, high = bootstrap_by_person(score, is_live, person, 0.5, resamples=500).hter or (0.0, 0.0)
        covered += low <= truth <= high
    assert 0.88 <= covered / 150 <= 0.99
