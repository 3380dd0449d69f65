"""One set of scores, counted by hand."""

import json

import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.intervals import clopper_pearson
from dgfas.evaluation.measurement import measure
from dgfas.evaluation.thresholds import Threshold

HALF = Threshold(0.5, "fixed value", "no data")
ROWS = [
    ("phone", "a", "l1", "live", 0.9),
    ("phone", "a", "l1", "live", 0.4),  # a wrong frame in a right recording: mean 0.65
    ("phone", "b", "l2", "live", 0.3),  # rejected
    ("phone", "b", "l3", "live", None),  # no face: rejected
    ("phone", "a", "p1", "print", 0.2),
    ("phone", "a", "p1", "print", 0.6),  # mean 0.4
    ("phone", "b", "p2", "print", 0.8),  # accepted
    ("phone", "b", "r1", "replay", 0.1),
    ("phone", "c", "r2", "replay", None),  # no face: rejected, which is right
]


def test_frames_by_hand(make_scores) -> None:  # type: ignore[no-untyped-def]
    result = measure(make_scores(ROWS), HALF, "frame", resamples=200)
    assert (result.far, result.frr) == (2 / 5, 3 / 4)
    assert result.hter == pytest.approx((2 / 5 + 3 / 4) / 2)
    assert (result.apnrr, result.bpnrr) == (1 / 5, 1 / 4)
    assert {name: (rate.errors, rate.total) for name, rate in result.apcer.items()} == {
        "print": (2, 3),
        "replay": (0, 2),
    }
    assert (result.bpcer.errors, result.bpcer.total) == (3, 4)
    assert (result.worst_species, result.apcer_max) == ("print", 2 / 3)
    assert result.acer == pytest.approx((2 / 3 + 3 / 4) / 2)
    # 0.9 beats 5; 0.4 and 0.3 beat 0.2, 0.1 and the silent spoof; the silent live equals the silent spoof
    assert result.auc == pytest.approx((5 + 3 + 3 + 0.5) / 20)
    assert result.bpcer.interval is None
    assert result.recordings == 7


def test_recordings_by_hand(make_scores) -> None:  # type: ignore[no-untyped-def]
    result = measure(make_scores(ROWS).by_recording(), HALF, "recording", resamples=200)
    assert (result.far, result.frr) == (1 / 4, 2 / 3)
    assert (result.apnrr, result.bpnrr) == (1 / 4, 1 / 3)
    assert {name: (rate.errors, rate.total) for name, rate in result.apcer.items()} == {
        "print": (1, 2),
        "replay": (0, 2),
    }
    assert result.bpcer.interval == clopper_pearson(2, 3)
    assert result.apcer["replay"].interval == clopper_pearson(0, 2)
    assert result.auc == pytest.approx((3 + 2 + 0.5) / 12)
    assert result.bootstrap.persons == 3


def test_a_measurement_is_plain_json(make_scores) -> None:  # type: ignore[no-untyped-def]
    fields = json.loads(json.dumps(measure(make_scores(ROWS), HALF, "frame", resamples=200).to_dict(), allow_nan=False))
    assert fields["threshold"] == {"value": 0.5, "rule": "fixed value", "data": "no data"}
    assert fields["apcer"]["print"] == {"share": 2 / 3, "errors": 2, "total": 3, "interval": None}
    assert fields["worst_species"] == "print"
    assert set(fields["tpr_at_fpr"]) == {"0.01", "0.1"}


def test_what_cannot_be_measured_is_said(make_scores) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match="memory: has no spoof rows"):
        measure(make_scores(ROWS[:4]), HALF, "frame")
    with pytest.raises(UserError, match="memory: has no live rows"):
        measure(make_scores(ROWS[4:]), HALF, "frame")
    with pytest.raises(UserError, match="memory: no row has a score"):
        measure(make_scores([ROWS[3], ROWS[8]]), HALF, "frame")
