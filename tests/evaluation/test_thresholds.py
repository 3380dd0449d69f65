"""Thresholds and where they come from."""

import json
import math

import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation import metrics
from dgfas.evaluation.thresholds import (
    Threshold,
    domain_weights,
    eer_threshold,
    fix_threshold,
    fixed_threshold,
    parse_rule,
    threshold_at_apcer,
    threshold_at_bpcer,
)

DESK = [("desk", "a", f"l{i}", "live", score) for i, score in enumerate([0.9, 0.7, 0.5, 0.3])]
DESK += [("desk", "a", f"s{i}", "print", score) for i, score in enumerate([0.6, 0.4, 0.2, 0.1])]


def test_eer_threshold_by_hand(make_scores) -> None:  # type: ignore[no-untyped-def]
    # between 0.4 and 0.5: FAR 1/4 (0.6), FRR 1/4 (0.3)
    threshold = eer_threshold(make_scores(DESK), "some data")
    assert threshold.value == pytest.approx(0.45)
    assert (threshold.rule, threshold.data) == ("EER", "some data")


def test_every_domain_weighs_equally(make_scores) -> None:  # type: ignore[no-untyped-def]
    """A domain with 50 times the frames must not pull the threshold toward itself."""
    big = [("hall", "b", f"l{i}", "live", 0.95) for i in range(50)]
    big += [("hall", "b", f"s{i}", "print", 0.80 + i / 1000) for i in range(50)]
    scores = make_scores([*DESK, *big])
    weighed = eer_threshold(scores, "both")
    pooled = metrics.error_curve(scores.score, scores.is_live)
    assert weighed.data == "both, every domain weighing equally"
    assert weighed.value != pytest.approx(pooled.threshold[metrics.equal_error_index(pooled)])

    parts = [(part.score, part.is_live) for part in map(scores.of_domain, ["desk", "hall"])]

    def gap(threshold: float) -> float:
        far, frr = np.mean([metrics.far_frr(score, is_live, threshold) for score, is_live in parts], axis=0)
        return abs(float(far - frr))

    best = min(gap(threshold) for threshold in metrics.candidate_thresholds(scores.score))
    assert gap(weighed.value) == pytest.approx(best)


def test_domain_weights_have_equal_totals(make_scores) -> None:  # type: ignore[no-untyped-def]
    scores = make_scores([*DESK, ("hall", "b", "l", "live", 0.5), ("hall", "b", "s", "print", 0.5)])
    weights = domain_weights(scores)
    for domain in ("desk", "hall"):
        for live in (True, False):
            rows = (scores.column("domain") == domain) & (scores.is_live == live)
            assert weights[rows].sum() == pytest.approx(1)


def test_threshold_at_bpcer_is_the_strictest_allowed(make_scores) -> None:  # type: ignore[no-untyped-def]
    scores = make_scores(DESK)
    assert threshold_at_bpcer(scores, 0.25, "d").value == pytest.approx(0.45)
    assert threshold_at_bpcer(scores, 0.24, "d").value == pytest.approx(0.25)
    assert threshold_at_bpcer(scores, 1.0, "d").value > 0.9
    silent = make_scores([*DESK, ("desk", "a", "l9", "live", None)])
    with pytest.raises(UserError, match=r"BPCER 0.1 cannot be reached; 0.2000 are non-responses"):
        threshold_at_bpcer(silent, 0.1, "d")


def test_threshold_at_apcer_minds_the_worst_species(make_scores) -> None:  # type: ignore[no-untyped-def]
    scores = make_scores([*DESK, ("desk", "a", "m", "mask", 0.8)])
    assert threshold_at_apcer(scores, 0.25, "d").value == pytest.approx(0.85)  # pooled, 0.55 would do
    assert threshold_at_apcer(make_scores(DESK), 0.25, "d").value == pytest.approx(0.45)
    assert threshold_at_apcer(scores, 1.0, "d").value == 0.1


def test_a_threshold_carries_its_origin_through_json() -> None:
    threshold = Threshold(1 / 3, "EER", "source development frames of desk")
    assert Threshold.from_dict(json.loads(json.dumps(threshold.to_dict()))) == threshold
    assert str(threshold) == "0.3333 (EER; source development frames of desk)"
    assert fixed_threshold(0.5) == Threshold(0.5, "fixed value", "no data")
    with pytest.raises(ValueError, match="finite"):
        Threshold(-math.inf, "EER", "x")


def test_rules_are_read_by_name(make_scores) -> None:  # type: ignore[no-untyped-def]
    scores = make_scores(DESK)
    assert fix_threshold(scores, "eer", "d") == eer_threshold(scores, "d")
    assert fix_threshold(scores, "fixed=0.5", "d") == fixed_threshold(0.5)
    assert fix_threshold(scores, "bpcer=0.25", "d") == threshold_at_bpcer(scores, 0.25, "d")
    assert fix_threshold(scores, "apcer=0.25", "d") == threshold_at_apcer(scores, 0.25, "d")


@pytest.mark.parametrize("rule", ["err", "fixed", "fixed=", "fixed=nan", "bpcer=5", "apcer=-0.1", "eer=0.5", ""])
def test_unknown_rules_are_refused(rule: str) -> None:
    with pytest.raises(UserError, match="threshold rule"):
        parse_rule(rule)


def test_a_domain_without_a_class_is_named(make_scores) -> None:  # type: ignore[no-untyped-def]
    scores = make_scores([*DESK, ("hall", "b", "l", "live", 0.5)])
    for rule in ("eer", "bpcer=0.1", "apcer=0.1"):
        with pytest.raises(UserError, match="domain hall: has no spoof rows"):
            fix_threshold(scores, rule, "d")
