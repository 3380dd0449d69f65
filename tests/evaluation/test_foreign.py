"""Scores of any system, from files: ranges, what is refused, and what the result says of them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.foreign import evaluate_files
from dgfas.evaluation.scores import Scores
from dgfas.evaluation.scores_file import read_scores, write_scores
from dgfas.evaluation.thresholds import parse_rule
from dgfas.evaluation.tracks import TrackResult

HEADER = "domain,subject,recording,frame,species,label,score\n"


@pytest.fixture
def files(random_scores: Callable[..., Scores], tmp_path: Path) -> tuple[Path, Path]:
    """A target's scores and development scores in [0, 1]."""
    target, development = tmp_path / "target.csv", tmp_path / "development.csv"
    write_scores(target, random_scores(["phone"], 0.3, seed=1))
    write_scores(development, random_scores(["desk", "hall"], 0.5, seed=2))
    return target, development


def as_logits(path: Path) -> Path:
    """Write the file again with its scores mapped to (-50, 50) by a rising function."""
    rows = read_scores(path).rows
    mapped = rows.assign(score=50 * np.sin((rows["score"] - 0.5) * 3))
    write_scores(path.with_name(f"logits-{path.name}"), Scores(mapped, "mapped", "any"))
    return path.with_name(f"logits-{path.name}")


def test_a_rising_map_of_the_scores_changes_no_rate_of_frames(files: tuple[Path, Path]) -> None:
    target, development = files
    plain = evaluate_files(target, development, threshold="eer")
    logits = evaluate_files(as_logits(target), as_logits(development), threshold="eer", score_range="any")

    def rates(result: TrackResult) -> tuple[object, ...]:
        measured = result.measurement
        return measured.hter, measured.auc, measured.eer, measured.apcer, measured.bpcer, measured.bootstrap

    for before, after in zip(plain.results, logits.results, strict=True):
        if before.level == "frame":
            assert rates(before) == rates(after)
    low, high = (evaluation.results[0].measurement.threshold.value for evaluation in (plain, logits))
    assert 0 < low < 1
    assert high != low
    assert plain.results[0].measurement.hter not in (0, 0.5)


def test_thresholds_of_any_range_are_in_the_scores_own_unit(files: tuple[Path, Path]) -> None:
    logits = as_logits(files[0])
    results = evaluate_files(logits, None, threshold="fixed=-12.5", score_range="any").results
    accepted = read_scores(logits, "any").score >= -12.5
    assert results[0].measurement.threshold.value == -12.5
    assert results[0].measurement.bpcer.errors == int((~accepted & results[0].scores.is_live).sum())


def test_the_mean_of_a_recording_is_not_cut_to_the_unit_range(files: tuple[Path, Path]) -> None:
    frames = read_scores(as_logits(files[0]), "any")
    first = frames.rows[frames.rows["recording"] == "p0_live"]["score"]
    assert frames.by_recording().score[0] == pytest.approx(first.mean())
    assert abs(frames.by_recording().score).max() > 1
    assert frames.of_domain("phone").score_range == "any"


def test_logits_are_refused_unless_asked_for_and_never_infinite(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"line 2, column 'score'.*not in \[0, 1\]; .* --score-range any"):
        read_scores(as_logits(files[0]))
    (tmp_path / "inf.csv").write_text(HEADER + "d,s,r,0,live,1,inf\n")
    with pytest.raises(UserError, match="line 2, column 'score': inf is not finite"):
        read_scores(tmp_path / "inf.csv", "any")
    with pytest.raises(UserError, match=r"'-12.5' is not a number in \[0, 1\]"):
        parse_rule("fixed=-12.5")
    for rule in ("fixed=nan", "fixed=inf", "fixed=high", "bpcer=2"):
        with pytest.raises(UserError, match="is not a number"):
            parse_rule(rule, "any")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("d,a,r1,0,live,1,0.5\nd,b,r2,0,live,1,0.4\n", "has no spoof rows"),
        ("d,a,r1,0,print,0,0.5\n", "has no live rows"),
        ("d,a,r1,0,live,1,0.5\nd,b,r2,0,print,-1,0.4\n", "line 3, column 'label': '-1' is neither 0"),
        ("d,a,r1,0,live,1,\nd,b,r2,0,print,0,\n", "no row has a score"),
    ],
)
def test_files_that_cannot_be_measured_are_one_line(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "scores.csv").write_text(HEADER + rows)
    with pytest.raises(UserError, match=message) as caught:
        evaluate_files(tmp_path / "scores.csv", None, threshold="fixed=0.5")
    assert str(caught.value).startswith(str(tmp_path / "scores.csv"))


def test_a_subject_cannot_be_on_both_sides(tmp_path: Path) -> None:
    for name in ("target", "development"):
        rows = f"d,ann,{name}1,0,live,1,0.9\nd,bob,{name}2,0,print,0,0.1\n"
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    with pytest.raises(UserError, match=r"subject 'ann' of domain 'd' is also in .*must not share subjects"):
        evaluate_files(tmp_path / "target.csv", tmp_path / "development.csv", threshold="eer")


def test_a_space_does_not_hide_a_subject_that_is_on_both_sides(tmp_path: Path) -> None:
    for name, subject in (("target", "p3"), ("development", "p3 ")):
        rows = f"d,{subject},{name}1,0,live,1,0.9\nd,{subject},{name}2,0,print,0,0.1\n"
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    with pytest.raises(UserError, match="subject 'p3' of domain 'd' is also in"):
        evaluate_files(tmp_path / "target.csv", tmp_path / "development.csv", threshold="eer")


def test_a_row_without_a_label_is_named_by_its_line_in_the_file(files: tuple[Path, Path]) -> None:
    target, development = files
    lines = development.read_text().splitlines()
    row = len(lines) + 6
    lines += [f"web,w,w{number},0,print,{'' if number == 5 else 0},0.5" for number in range(9)]
    development.write_text("\n".join(lines))
    assert lines[row - 1] == "web,w,w5,0,print,,0.5"
    with pytest.raises(UserError, match=f"domain web: line {row}, column 'label' is empty"):
        evaluate_files(target, development, threshold="eer")


def test_the_result_says_which_files_and_whose(files: tuple[Path, Path]) -> None:
    target, development = files
    evaluation = evaluate_files(target, development, threshold="eer", name="Acme 2.1")
    assert evaluation.title == evaluation.about["system"] == "Acme 2.1"
    assert evaluation.about["task"] == "desk&hall to phone"
    assert evaluation.about["files"] == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (target, development)
    }
    assert evaluate_files(target, None, threshold="fixed=0.5").title == str(target)


def test_species_are_counted(make_scores) -> None:  # type: ignore[no-untyped-def]
    rows = [("d", "a", "l1", "live", 0.9), ("d", "a", "l1", "live", None), ("d", "b", "p1", "print", None)]
    counts = make_scores([*rows, ("e", "b", "p1", "print", 0.2)]).counts()
    assert counts["live"] == {"subjects": 1, "rows": 2, "unanswered": 1}
    assert counts["print"] == {"subjects": 2, "rows": 2, "unanswered": 1}
