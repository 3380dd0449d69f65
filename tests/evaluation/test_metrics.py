"""Error rates against hand counts, plain loops and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from dgfas.evaluation import metrics

SCORE = np.array([0.9, 0.8, 0.4, 0.2, 0.8, 0.5, 0.3, 0.1])
IS_LIVE = np.array([True, True, True, True, False, False, False, False])


def test_hand_counted_rates() -> None:
    # at 0.4: spoof 0.8 and 0.5 are accepted (2 of 4), live 0.2 is rejected (1 of 4)
    assert metrics.far_frr(SCORE, IS_LIVE, 0.4) == (0.5, 0.25)
    assert metrics.hter_at(SCORE, IS_LIVE, 0.4) == 0.375
    assert metrics.bpcer(SCORE, IS_LIVE, 0.4) == 0.25
    # a score at the threshold is accepted: 0.8 live and 0.8 spoof
    assert metrics.far_frr(SCORE, IS_LIVE, 0.8) == (0.25, 0.5)


def test_hand_counted_auc_counts_equal_scores_half() -> None:
    # 0.9 beats 4; 0.8 beats 3 and equals 1; 0.4 beats 2; 0.2 beats 1: 10.5 of 16
    assert metrics.auc(SCORE, IS_LIVE) == 10.5 / 16


def test_hand_counted_eer() -> None:
    # between 0.4 and 0.5: FAR 2/4, FRR 2/4
    assert metrics.eer(SCORE, IS_LIVE) == 0.5
    curve = metrics.error_curve(SCORE, IS_LIVE)
    assert curve.threshold[metrics.equal_error_index(curve)] == pytest.approx(0.45)


def test_eer_of_unequal_rates_is_their_mean_at_the_smallest_gap() -> None:
    # live 0.6, 0.4, 0.4 and spoof 0.5, 0.1: at 0.45 and at 0.55 FAR is 1/2 and 0, FRR 2/3: the gap is 1/6
    score, is_live = np.array([0.6, 0.4, 0.4, 0.5, 0.1]), np.array([True, True, True, False, False])
    assert metrics.eer(score, is_live) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_of_equal_gaps_the_lower_error_then_the_higher_threshold_is_taken() -> None:
    # live 0.6, 0.4 and spoof 0.5: gap 1/2 at 0.45 (FAR 1, FRR 1/2) and at 0.55 (FAR 0, FRR 1/2)
    curve = metrics.error_curve(np.array([0.6, 0.4, 0.5]), np.array([True, True, False]))
    assert curve.threshold[metrics.equal_error_index(curve)] == pytest.approx(0.55)
    # live 0.6 and spoof 0.6: gap 1 at both ends, total 1 at both ends
    curve = metrics.error_curve(np.array([0.6, 0.6]), np.array([True, False]))
    assert curve.threshold[metrics.equal_error_index(curve)] > 0.6


def test_hand_counted_tpr_at_fixed_fpr() -> None:
    assert metrics.tpr_at_fpr(SCORE, IS_LIVE, 0.0) == 0.25  # only 0.9 is above every spoof
    assert metrics.tpr_at_fpr(SCORE, IS_LIVE, 0.24) == 0.25
    assert metrics.tpr_at_fpr(SCORE, IS_LIVE, 0.25) == 0.5
    assert metrics.tpr_at_fpr(SCORE, IS_LIVE, 1.0) == 1.0


def test_apcer_is_counted_by_species_and_never_pooled() -> None:
    species = np.array(["live"] * 4 + ["print", "print", "replay", "mask"], dtype=object)
    apcer = metrics.apcer_by_species(SCORE, IS_LIVE, species, 0.5)
    assert apcer == {"mask": 0.0, "print": 1.0, "replay": 0.0}
    assert metrics.acer(apcer, 0.5) == 0.75


def test_perfect_and_inverted_scores() -> None:
    score, is_live = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False])
    assert (metrics.auc(score, is_live), metrics.eer(score, is_live)) == (1.0, 0.0)
    assert (metrics.auc(score, ~is_live), metrics.eer(score, ~is_live)) == (0.0, 1.0)


def test_equal_scores_are_chance() -> None:
    score = np.full(6, 0.5)
    assert metrics.auc(score, IS_LIVE[[0, 1, 2, 4, 5, 6]]) == 0.5
    assert metrics.eer(score, IS_LIVE[[0, 1, 2, 4, 5, 6]]) == 0.5


def test_non_responses_are_below_every_threshold() -> None:
    score = np.array([0.9, -np.inf, 0.1, -np.inf])
    is_live = np.array([True, True, False, False])
    assert metrics.far_frr(score, is_live, 0.0) == (0.5, 0.5)
    # 0.9 beats both; the silent live loses to 0.1 and equals the silent spoof: 2.5 of 4
    assert metrics.auc(score, is_live) == 2.5 / 4
    curve = metrics.error_curve(score, is_live)
    assert np.isfinite(curve.threshold).all()
    assert curve.frr.min() == 0.5
    assert metrics.tpr_at_fpr(score, is_live, 1.0) == 0.5


@pytest.mark.parametrize("digits", [1, 2, 17])
def test_agreement_with_scikit_learn(digits: int) -> None:
    random = np.random.default_rng(digits)
    is_live = random.random(400) < 0.3
    score = np.round(random.beta(2 + is_live, 2), digits)  # one digit makes many ties
    assert metrics.auc(score, is_live) == pytest.approx(roc_auc_score(is_live, score), abs=1e-12)
    fpr, tpr, _ = roc_curve(is_live, score, drop_intermediate=False)
    curve = metrics.error_curve(score, is_live)
    np.testing.assert_allclose(curve.far[::-1], fpr, atol=1e-12)
    np.testing.assert_allclose(1 - curve.frr[::-1], tpr, atol=1e-12)
    for level in (0.01, 0.1, 0.5):
        assert metrics.tpr_at_fpr(score, is_live, level) == pytest.approx(tpr[fpr <= level].max())
    gap = np.abs(fpr - (1 - tpr))
    near = np.isclose(gap, gap.min())
    assert metrics.eer(score, is_live) == pytest.approx(((fpr + 1 - tpr) / 2)[near].min())


def test_curve_agrees_with_plain_counting() -> None:
    random = np.random.default_rng(5)
    is_live, score, weight = random.random(60) < 0.5, np.round(random.random(60), 1), random.random(60)
    curve = metrics.error_curve(score, is_live, weight)
    for threshold, far, frr in zip(curve.threshold, curve.far, curve.frr, strict=True):
        accepted = sum(w for s, live, w in zip(score, is_live, weight, strict=True) if not live and s >= threshold)
        rejected = sum(w for s, live, w in zip(score, is_live, weight, strict=True) if live and s < threshold)
        assert far == pytest.approx(accepted / weight[~is_live].sum(), abs=1e-12)
        assert frr == pytest.approx(rejected / weight[is_live].sum(), abs=1e-12)


def test_candidates_are_midpoints_and_both_ends() -> None:
    candidates = metrics.candidate_thresholds(np.array([0.5, 0.25, 0.5, 0.75, -np.inf]))
    assert candidates[:3].tolist() == [0.25, 0.375, 0.625]
    assert candidates[3] == np.nextafter(0.75, 1)


def test_neighbouring_floats_are_still_told_apart() -> None:
    low = 0.3
    high = float(np.nextafter(low, 1))
    is_live = np.array([False, True])
    assert metrics.eer(np.array([low, high]), is_live) == 0.0


@pytest.mark.parametrize("measure", [metrics.auc, metrics.eer, lambda s, y: metrics.hter_at(s, y, 0.5)])
def test_one_class_and_bad_arrays_are_refused(measure) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="no spoof score"):
        measure(np.array([0.1, 0.2]), np.array([True, True]))
    with pytest.raises(ValueError, match="no live score"):
        measure(np.array([0.1, 0.2]), np.array([False, False]))
    with pytest.raises(ValueError, match="no live score"):
        measure(np.array([]), np.array([], dtype=bool))
    with pytest.raises(ValueError, match="NaN"):
        measure(np.array([0.1, np.nan]), np.array([False, True]))
    with pytest.raises(ValueError, match="one length"):
        measure(np.array([0.1, 0.2, 0.3]), np.array([False, True]))


def test_no_threshold_without_an_answer() -> None:
    with pytest.raises(ValueError, match="no presentation was answered"):
        metrics.eer(np.full(2, -np.inf), np.array([False, True]))


def test_bpcer_at_an_apcer_as_by_plain_loops() -> None:
    random = np.random.default_rng(5)
    for _ in range(20):
        is_live = np.array([True] * 9 + [False] * 12)
        species = np.array(["live"] * 9 + ["print"] * 5 + ["replay"] * 7, dtype=object)
        score = np.round(random.random(21) * 0.7 + 0.3 * is_live, 1)
        score[random.random(21) < 0.1] = -np.inf
        for level in (0.0, 0.2, 0.4):
            best = 1.0
            for threshold in metrics.candidate_thresholds(score):
                accepted = score >= threshold
                if all(accepted[species == name].mean() <= level + 1e-12 for name in ("print", "replay")):
                    best = min(best, (~accepted)[is_live].mean())
            assert metrics.bpcer_at_apcer(score, is_live, species, level) == pytest.approx(best)


def test_the_apcer_that_limits_is_that_of_the_worst_species() -> None:
    species = np.array(["live"] * 4 + ["print"] * 3 + ["replay"], dtype=object)
    # pooled, a quarter of the attacks may pass above 0.5; of the species print a third would
    assert metrics.tpr_at_fpr(SCORE, IS_LIVE, 0.25) == 0.5
    assert metrics.bpcer_at_apcer(SCORE, IS_LIVE, species, 0.25) == 0.75
    assert metrics.bpcer_at_apcer(SCORE, IS_LIVE, species, 0.34) == 0.5


def test_points_of_the_roc_are_the_highest_rates_allowed() -> None:
    points = metrics.roc_points(SCORE, IS_LIVE, np.array([0.0, 0.1, 0.25, 0.5, 1.0]))
    expected = [metrics.tpr_at_fpr(SCORE, IS_LIVE, fpr) for fpr in (0.0, 0.1, 0.25, 0.5, 1.0)]
    assert points.tolist() == expected
