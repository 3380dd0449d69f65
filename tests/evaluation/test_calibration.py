"""Calibration keeps the order and turns raw scores into probabilities."""

import json
import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from dgfas.evaluation import metrics
from dgfas.evaluation.calibration import Calibration, calibration_error, cell_weights, fit_calibration


def sample(seed: int, size: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, size)
    domain = np.where(random.random(size) < 0.9, "desk", "hall").astype(object)
    return random.normal(3 + 0.02 * label, 0.02), label, domain


def test_auc_is_unchanged_even_far_out() -> None:
    raw, label, domain = sample(0)
    raw = np.concatenate([raw, [30.0, 31.0, 3000.0, -30.0, -31.0, -3000.0]])
    label = np.concatenate([label, [1, 0, 1, 0, 1, 0]])
    calibration = fit_calibration(raw[:4000], label[:4000], domain)
    score = calibration.apply(raw)
    assert ((score > 0) & (score < 1)).all()
    order = np.argsort(raw)
    assert (np.diff(score[order])[np.diff(raw[order]) > 0] > 0).all()
    assert metrics.auc(score, label == 1) == metrics.auc(raw, label == 1)


def test_near_the_middle_it_is_the_logistic_function() -> None:
    raw = np.linspace(-5, 5, 11)
    np.testing.assert_allclose(Calibration(2.0, 1.0).apply(raw), expit(2 * raw + 1), rtol=1e-12)


def test_the_fit_agrees_with_weighted_logistic_regression() -> None:
    raw, label, domain = sample(1)
    weight = np.zeros(len(raw))
    for name in ("desk", "hall"):
        for value in (0, 1):
            rows = (domain == name) & (label == value)
            weight[rows] = 1000 / rows.sum()
    standard = (raw - raw.mean()) / raw.std()
    reference = LogisticRegression(C=np.inf).fit(standard[:, None], label, sample_weight=weight)
    calibration = fit_calibration(raw, label, domain)
    assert calibration.slope * raw.std() == pytest.approx(reference.coef_[0, 0], rel=0.02)
    expected = reference.predict_proba(standard[:, None])[:, 1]
    np.testing.assert_allclose(calibration.apply(raw), expected, atol=0.005)


def test_domains_weigh_equally_whatever_their_size() -> None:
    raw, label, domain = sample(2, size=1000)
    many = np.concatenate([np.arange(1000), np.repeat(np.flatnonzero(domain == "desk"), 20)])
    one, other = fit_calibration(raw, label, domain), fit_calibration(raw[many], label[many], domain[many])
    # scale and targets differ a little with the number of rows, the balance does not
    assert one.apply(raw) == pytest.approx(other.apply(raw), abs=0.01)


def test_cells_weigh_alike() -> None:
    live = np.array([True] * 7 + [False] * 5)
    domain = np.array(["C"] * 4 + ["M"] * 2 + ["I"] + ["C"] * 2 + ["O"] * 3)
    weight = cell_weights(live, domain)
    totals = [
        [weight[(live == label) & (domain == name)].sum() for name in ("C", "M", "I", "O")] for label in (True, False)
    ]
    assert totals[0] == pytest.approx([1 / 6, 1 / 6, 1 / 6, 0])  # half, shared by three domains
    assert totals[1] == pytest.approx([1 / 4, 0, 0, 1 / 4])  # the other half, by two


def error_by_loops(slope: float, intercept: float, raw: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    live, spoof, total = int((label == 1).sum()), int((label == 0).sum()), 0.0
    for value, one, w in zip(raw, label, weight, strict=True):
        target = (live + 1) / (live + 2) if one == 1 else 1 / (spoof + 2)
        probability = 1 / (1 + math.exp(-(slope * value + intercept)))
        total -= w * (target * math.log(probability) + (1 - target) * math.log(1 - probability))
    return total


def test_the_fit_is_the_minimum_of_the_weighted_cross_entropy() -> None:
    raw, label, domain = sample(4, size=60)
    raw = 40 * (raw - 3)
    found, weight = fit_calibration(raw, label, domain), cell_weights(label == 1, domain)
    error = calibration_error(found, raw, label, domain)
    assert error == pytest.approx(error_by_loops(found.slope, found.intercept, raw, label, weight))
    for slope, intercept in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert error_by_loops(found.slope + slope, found.intercept + intercept, raw, label, weight) > error


def test_a_shift_and_a_scale_of_the_raw_scores_change_nothing() -> None:
    raw, label, domain = sample(5)
    plain, changed = fit_calibration(raw, label, domain), fit_calibration(7 * raw - 4, label, domain)
    assert changed.apply(7 * raw - 4) == pytest.approx(plain.apply(raw), abs=1e-3)


def test_separable_data_give_a_finite_slope() -> None:
    raw = np.concatenate([np.linspace(0, 0.1, 50), np.linspace(0.9, 1, 50)])
    label = np.repeat([0, 1], 50)
    score = fit_calibration(raw, label, np.repeat("desk", 100)).apply(raw)
    assert score[:50].max() < 0.1
    assert score[50:].min() > 0.9
    assert 0.9 < score[-1] < 1


def test_order_is_kept_even_where_the_raw_score_misleads() -> None:
    raw, label, domain = sample(3)
    calibration = fit_calibration(raw, 1 - label, domain)
    assert calibration.slope > 0
    assert metrics.auc(calibration.apply(raw), label == 1) == metrics.auc(raw, label == 1)


def test_equal_raw_scores_are_calibrated_to_one_half() -> None:
    calibration = fit_calibration(np.full(4, 7.0), np.array([0, 0, 0, 1]), np.repeat("desk", 4))
    assert calibration.apply(np.array([7.0]))[0] == pytest.approx(0.5, abs=0.1)


def test_json_round_trip() -> None:
    calibration = Calibration(1 / 3, -2 / 7)
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_calibration(np.array([0.1, np.nan]), np.array([0, 1]), np.array(["a", "a"]))
    with pytest.raises(ValueError, match="live and spoof"):
        fit_calibration(np.array([0.1, 0.2]), np.array([1, 1]), np.array(["a", "a"]))
    with pytest.raises(ValueError, match="finite"):
        Calibration(1.0, 0.0).apply(np.array([np.inf]))
    with pytest.raises(ValueError, match="positive"):
        Calibration(0.0, 0.0)
