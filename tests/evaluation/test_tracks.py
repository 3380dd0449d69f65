"""The two tracks: what each may look at, and what each reports."""

import inspect
import json

import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation import metrics
from dgfas.evaluation.scores import Scores
from dgfas.evaluation.thresholds import eer_threshold
from dgfas.evaluation.tracks import (
    Evaluation,
    choose_deployable,
    choose_oracle,
    evaluate_checkpoints,
    evaluate_scores,
    mean_domain_auc,
)


@pytest.fixture
def development(random_scores) -> dict[int, Scores]:  # type: ignore[no-untyped-def]
    """Three checkpoints of which the second is best on the sources."""
    return {
        step: random_scores(["desk", "hall"], separation, seed=step)
        for step, separation in [(100, 0.1), (200, 0.5), (300, 0.2)]
    }


@pytest.fixture
def target(random_scores) -> dict[int, Scores]:  # type: ignore[no-untyped-def]
    """The same checkpoints on the target, where the third is best."""
    return {
        step: random_scores(["phone"], separation, seed=step + 1)
        for step, separation in [(100, 0.1), (200, 0.2), (300, 0.6)]
    }


def run(development: dict[int, Scores], target: dict[int, Scores]):  # type: ignore[no-untyped-def]
    return evaluate_checkpoints(development, target, selection="source_validation", threshold="eer", resamples=100)


def test_each_track_chooses_on_its_own_data(development, target) -> None:  # type: ignore[no-untyped-def]
    results = {(result.track, result.level): result for result in run(development, target)}
    assert list(results) == [
        ("deployable", "frame"),
        ("deployable", "recording"),
        ("oracle", "frame"),
        ("oracle", "recording"),
    ]
    for (track, level), result in results.items():
        assert result.checkpoint == {"deployable": 200, "oracle": 300}[track]
        assert result.candidates == 3
        threshold = result.measurement.threshold
        assert ("oracle" in threshold.data) == ("oracle" in result.selection) == (track == "oracle")
        assert f"{level}s" in threshold.data
        scores = target[result.checkpoint].at(level)
        assert result.measurement.hter == metrics.hter_at(scores.score, scores.is_live, threshold.value)
    frame = results["deployable", "frame"].measurement.threshold
    assert frame == eer_threshold(development[200], "source development frames of desk, hall")
    recording = results["deployable", "recording"].measurement.threshold
    assert recording.value == eer_threshold(development[200].by_recording(), "").value


def test_the_target_cannot_reach_the_deployable_choice(development, target) -> None:  # type: ignore[no-untyped-def]
    """Replacing the target's labels and scores by noise changes neither checkpoint nor threshold of track B."""
    random = np.random.default_rng(0)

    def noise(scores: Scores) -> Scores:
        rows = scores.rows.copy()
        live = {name: random.random() < 0.5 for name in rows["recording"].unique()}
        rows["label"] = rows["recording"].map(live).astype(int)
        rows["species"] = np.where(rows["label"] == 1, "live", "print")
        return Scores(rows.assign(score=random.random(len(rows))), "noise")

    honest = run(development, target)
    noisy = run(development, {step: noise(scores) for step, scores in target.items()})
    for before, after in zip(honest[:2], noisy[:2], strict=True):
        assert before.track == after.track == "deployable"
        assert before.checkpoint == after.checkpoint
        assert before.measurement.threshold == after.measurement.threshold
        assert before.measurement.hter != after.measurement.hter
    assert any(
        before.measurement.threshold != after.measurement.threshold
        for before, after in zip(honest[2:], noisy[2:], strict=True)
    )


def test_the_deployable_choice_takes_no_target_and_rules_have_no_default() -> None:
    assert not [name for name in inspect.signature(choose_deployable).parameters if "target" in name]
    for function, names in [
        (choose_deployable, ["selection", "threshold"]),
        (evaluate_checkpoints, ["selection", "threshold"]),
        (evaluate_scores, ["threshold"]),
    ]:
        for name in names:
            assert inspect.signature(function).parameters[name].default is inspect.Parameter.empty


def test_every_source_domain_counts_once_in_the_selection(make_scores) -> None:  # type: ignore[no-untyped-def]
    perfect = [("desk", "a", f"l{i}", "live", 0.9) for i in range(20)]
    perfect += [("desk", "a", f"s{i}", "print", 0.1) for i in range(20)]
    wrong = [("hall", "b", "l", "live", 0.1), ("hall", "b", "s", "print", 0.9)]
    assert mean_domain_auc(make_scores(perfect + wrong)) == 0.5
    with pytest.raises(UserError, match="domain hall: has no spoof rows"):
        mean_domain_auc(make_scores(perfect + wrong[:1]))


def test_of_equal_checkpoints_the_later_is_taken(development, target) -> None:  # type: ignore[no-untyped-def]
    same = {100: development[200], 300: development[200], 200: development[200]}
    assert choose_deployable(same, "frame", selection="source_validation", threshold="eer")[0] == 300
    assert choose_oracle({100: target[300], 300: target[300], 200: target[300]}, "frame")[0] == 300


def test_other_rules(development) -> None:  # type: ignore[no-untyped-def]
    assert choose_deployable(development, "frame", selection="last", threshold="fixed=0.5")[0] == 300
    with pytest.raises(UserError, match="unknown selection rule 'lats'; did you mean 'last'"):
        choose_deployable(development, "frame", selection="lats", threshold="eer")  # type: ignore[arg-type]


def test_the_oracle_takes_the_lowest_error_at_the_targets_own_threshold(target) -> None:  # type: ignore[no-untyped-def]
    for level in ("frame", "recording"):
        step, threshold = choose_oracle(target, level)
        errors = {s: metrics.eer(scores.at(level).score, scores.at(level).is_live) for s, scores in target.items()}
        assert errors[step] == min(errors.values())
        assert threshold.value == eer_threshold(target[step].at(level), "").value


def test_checkpoints_must_match(development, target) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="checkpoints differ"):
        run(development, {100: target[100]})


def test_two_files_without_a_model(development, target) -> None:  # type: ignore[no-untyped-def]
    results = evaluate_scores(development[200], target[200], threshold="eer", resamples=100)
    assert [(result.track, result.level) for result in results] == [
        ("deployable", "frame"),
        ("deployable", "recording"),
        ("oracle", "frame"),
        ("oracle", "recording"),
    ]
    assert all(result.checkpoint is None and result.candidates == 1 for result in results)
    assert results[2].measurement.hter == results[2].measurement.eer


def test_without_development_only_a_fixed_threshold(target) -> None:  # type: ignore[no-untyped-def]
    results = evaluate_scores(None, target[200], threshold="fixed=0.5", resamples=100)
    assert results[0].measurement.threshold.rule == "fixed value"
    with pytest.raises(UserError, match="needs development scores"):
        evaluate_scores(None, target[200], threshold="eer")


def test_a_recording_cannot_be_on_both_sides(development, target) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match="recording 'p0_live' of domain 'phone' is also in memory"):
        evaluate_scores(target[200], target[200], threshold="eer")


def test_an_evaluation_is_plain_json(development, target) -> None:  # type: ignore[no-untyped-def]
    evaluation = Evaluation("desk&hall to phone", run(development, target), {"seed": 3})
    fields = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert fields["about"] == {"seed": 3}
    assert fields["dgfas"]
    assert [result["checkpoint"] for result in fields["results"]] == [200, 200, 300, 300]
    assert all(result["threshold"]["data"] for result in fields["results"])
    for result in fields["results"]:
        scores = target[result["checkpoint"]].at(result["level"])
        assert result["recordings_hash"] == target[200].recordings_hash
        roc = dict(zip(result["roc"]["fpr"], result["roc"]["tpr"], strict=True))
        assert roc[0.1] == pytest.approx(result["tpr_at_fpr"]["0.1"], abs=1e-4)
        assert roc[0.5] == pytest.approx(metrics.tpr_at_fpr(scores.score, scores.is_live, 0.5), abs=1e-4)
