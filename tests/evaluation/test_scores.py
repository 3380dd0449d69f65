"""The scores file as a border: what it accepts, what it refuses and in which words."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.scores import COLUMNS, Scores, scores_of_frames
from dgfas.evaluation.scores_file import read_scores, write_scores

HEADER = "domain,subject,recording,frame,species,label,score\n"
GOOD = (
    HEADER
    + "desk,ann,r1,0,live,1,0.9\n"
    + "desk,ann,r1,1,live,1,\n"  # no face in this frame
    + "desk,ann,r1,2,live,1,0.5\n"
    + "desk,bob,r2,0,print,0,0.25\n"
    + "desk,bob,r3,,replay,0,\n"  # rejected in preparation
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    return path


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read_scores(written(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "scores.csv"))
    assert "\n" not in message
    return message


def test_reading_gives_typed_rows(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, GOOD))
    assert list(scores.rows.columns) == COLUMNS
    assert scores.is_live.tolist() == [True, True, True, False, False]
    assert scores.answered.tolist() == [True, False, True, True, False]
    assert scores.score.tolist() == [0.9, -np.inf, 0.5, 0.25, -np.inf]
    assert scores.rows["frame"].isna().tolist() == [False, False, False, False, True]
    assert scores.person.tolist() == [0, 0, 0, 1, 1]


def test_words_for_labels_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    words = "\ufeff" + GOOD.replace(",1,", ",live,").replace("print,0,", "print,spoof,")
    scores = read_scores(written(tmp_path, words.replace("r1,live,live", "r1,1,live")))
    assert scores.is_live.tolist() == [True, True, True, False, False]


def test_a_recording_is_the_mean_of_its_answered_frames(tmp_path: Path) -> None:
    recordings = read_scores(written(tmp_path, GOOD)).by_recording()
    assert recordings.rows["recording"].tolist() == ["r1", "r2", "r3"]
    assert recordings.score.tolist() == [pytest.approx(0.7), 0.25, -np.inf]
    assert recordings.is_live.tolist() == [True, False, False]


def test_recordings_of_two_domains_with_one_name_stay_apart(tmp_path: Path) -> None:
    text = GOOD + "phone,ann,r1,0,live,1,0.1\n"
    scores = read_scores(written(tmp_path, text))
    assert len(scores.by_recording().rows) == 4
    assert scores.person.tolist() == [0, 0, 0, 1, 1, 2]
    assert scores.of_domain("phone").score.tolist() == [0.1]


def test_writing_and_reading_keeps_every_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random(200)
    rows = pd.DataFrame({"domain": "d", "subject": "007", "recording": "r", "frame": range(200), "species": "live"})
    scores = Scores(rows.assign(label=1, score=values), "memory")
    path = tmp_path / "out.csv"
    write_scores(path, scores)
    back = read_scores(path)
    assert (back.score == values).all()
    pd.testing.assert_frame_equal(back.rows, scores.rows)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_non_responses_survive_writing(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, GOOD))
    write_scores(tmp_path / "again.csv", scores)
    assert (tmp_path / "again.csv").read_text() == GOOD


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_one_clear_line(tmp_path: Path, column: str) -> None:
    path = written(tmp_path, GOOD)
    pd.read_csv(path, dtype=str).drop(columns=column).to_csv(path, index=False)
    message = refusal(tmp_path, path.read_text())
    assert f"column {column!r} is missing" in message


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("0.9", "nan", ["line 2", "'score'", "'nan'"]),
        ("0.9", "NaN", ["line 2", "'score'", "'NaN'"]),
        ("0.9", "1.5", ["line 2", "'score'", "not in [0, 1]"]),
        ("0.5", "-0.1", ["line 4", "'score'", "not in [0, 1]"]),
        ("0.5", "inf", ["line 4", "'score'"]),
        ("0.25", "high", ["line 5", "'score'", "'high'"]),
        ("print,0", "print,2", ["line 5", "'label'", "'2'"]),
        ("print,0", "print,1", ["line 5", "'species'", "contradicts label 1"]),
        ("print,0", "live,0", ["line 5", "'species'", "contradicts label 0"]),
        ("r1,1,", "r1,0,", ["line 3", "'frame'", "twice"]),
        ("r1,1,", "r1,1.5,", ["line 3", "'frame'", "whole"]),
        ("r1,1,", "r1,x,", ["line 3", "'frame'", "'x'"]),
        ("r1,1,", "r1,inf,", ["line 3", "'frame'", "'inf'", "whole"]),
        ("r1,1,", "r1,1.7e+18,", ["line 3", "'frame'", "'1.7e+18'", "plain digits"]),
        ("r1,1,", f"r1,{2**63},", ["line 3", "'frame'", f"'{2**63}'", "below 2^63"]),
        ("r1,1,", "r1,,", ["line 3", "'frame'", "empty"]),
        ("ann,r1,1", "bob,r1,1", ["line 3", "'subject'", "differs"]),
        ("bob,r3", ",r3", ["line 6", "'subject'"]),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_column(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    message = refusal(tmp_path, GOOD.replace(old, new, 1))
    for part in parts:
        assert part in message


def test_empty_files_are_refused(tmp_path: Path) -> None:
    assert "is empty" in refusal(tmp_path, "")
    assert "no rows" in refusal(tmp_path, HEADER)
    with pytest.raises(UserError, match="cannot be read"):
        read_scores(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("rows", "line", "cells"),
    [
        ("d,a,r1,0,live,1,0.5\nd,a,r2,0,print,0", 3, 6),  # cut off: no score, which is not an empty score
        ("d,a,r1,0,live,1,0.5\nd,a,r2,0,print,0,0.5,extra,more\n", 3, 9),
        ("d,a,r1,0,live,1,0.5,\nd,a,r2,0,print,0,0.5,\n", 2, 8),  # pandas takes the first column for an index
        ("a,b\n", 2, 2),
        ("d,a,r1,0,live,1,0.5\n\n", 3, 0),
        ('d,a,"two\nlines",0,live,1,0.5\nd,a,r2\n', 4, 3),
    ],
)
def test_a_row_has_as_many_cells_as_the_header(tmp_path: Path, rows: str, line: int, cells: int) -> None:
    message = refusal(tmp_path, HEADER + rows)
    assert f"line {line}: has {cells} cells where the header has 7; write one for each column" in message


def test_a_column_may_not_come_twice(tmp_path: Path) -> None:
    text = "domain,subject,recording,frame,species,label,score,score\nd,a,r1,0,live,1,0.5,0.9\n"
    assert "line 1: column 'score' comes 2 times; keep one of them" in refusal(tmp_path, text)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_told_to_be_commas(tmp_path: Path, separator: str) -> None:
    assert "line 1: 'domain" in (message := refusal(tmp_path, GOOD.replace(",", separator)))
    assert "has no commas; use commas between columns: domain,subject," in message


def test_frames_are_whole_numbers_to_the_last_digit(tmp_path: Path) -> None:
    stamps = [1_700_000_000_000_000_000, 1_700_000_000_000_000_001, 2**63 - 1, 3]
    text = HEADER + "".join(f"d,s,r,{stamp},live,1,0.5\n" for stamp in stamps)
    scores = read_scores(written(tmp_path, text.replace(",3,", ",3.0,")))  # pandas writes so beside empty cells
    assert scores.rows["frame"].tolist() == scores.of_domain("d").rows["frame"].tolist() == stamps
    write_scores(tmp_path / "again.csv", scores)
    assert (tmp_path / "again.csv").read_text() == text
    with pytest.raises(UserError, match="line 2, column 'frame': inf is not a whole number"):
        Scores(scores.rows.assign(frame=np.inf), "memory")


def test_spaces_around_cells_are_dropped(tmp_path: Path) -> None:
    spaced = read_scores(written(tmp_path, GOOD.replace(",", " , ")))
    pd.testing.assert_frame_equal(spaced.rows, read_scores(written(tmp_path, GOOD)).rows)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_read(tmp_path: Path, end: str) -> None:
    (tmp_path / "scores.csv").write_bytes(GOOD.replace("\n", end).encode("utf-8-sig"))
    assert read_scores(tmp_path / "scores.csv").score.tolist() == [0.9, -np.inf, 0.5, 0.25, -np.inf]


def test_broken_quotes_and_binary_files_are_refused(tmp_path: Path) -> None:
    assert "line 3: is not a row of CSV" in refusal(tmp_path, HEADER + 'd,a,r1,0,live,1,0.5\n"d,a,r2\nd,a,r3\n')
    (tmp_path / "scores.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="not a CSV table"):
        read_scores(tmp_path / "scores.csv")


def test_unknown_labels_can_be_kept_but_not_measured(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, HEADER + "d,s,r,0,unknown,,0.5\n"))
    with pytest.raises(UserError, match="line 2, column 'label' is empty"):
        _ = scores.is_live


def test_lines_are_those_of_the_file_in_any_choice_of_rows(tmp_path: Path) -> None:
    desk = "desk,s,r,0,live,1,0.5\ndesk,s,r,1,live,1,0.5\n"
    scores = read_scores(written(tmp_path, HEADER + desk + "web,s,r,0,unknown,,0.5\nweb,s,r,1,unknown,,0.5\n"))
    for chosen in (scores, scores.by_recording(), scores.of_domain("web"), scores.by_recording().of_domain("web")):
        with pytest.raises(UserError, match="line 4, column 'label' is empty"):
            _ = chosen.is_live


def frames() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "domain": "desk",
            "subject": ["a", "a"],
            "recording": ["r1", "r2"],
            "frame": [0, 0],
            "split": "test",
            "species": ["live", "print"],
            "label": [1, 0],
            "face": "x.png",
        }
    )


def rejected() -> pd.DataFrame:
    cells = {"domain": "desk", "subject": "a", "recording": "r3", "split": "test", "label": 0, "species": "mask"}
    return pd.DataFrame([{**cells, "source": "x.mp4", "reason": "no face"}])


def test_rejected_recordings_become_non_responses() -> None:
    scores = scores_of_frames(frames(), np.array([0.75, 0.5]), rejected(), "memory")
    assert scores.rows["recording"].tolist() == ["r1", "r2", "r3"]
    assert scores.score.tolist() == [0.75, 0.5, -np.inf]
    assert scores.rows["frame"].isna().tolist() == [False, False, True]
    without = scores_of_frames(frames(), np.array([0.75, 0.5]), rejected().iloc[:0], "memory")
    assert without.score.tolist() == [0.75, 0.5]


def test_a_nan_from_a_model_is_not_taken_for_a_non_response() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        scores_of_frames(frames(), np.array([0.75, np.nan]), rejected(), "memory")
    with pytest.raises(ValueError, match="3 scores for 2 frames"):
        scores_of_frames(frames(), np.zeros(3), rejected(), "memory")


def test_the_hash_says_which_recordings_and_nothing_else(make_scores) -> None:  # type: ignore[no-untyped-def]
    rows = [("phone", "a", "l1", "live", 0.9), ("phone", "a", "l1", "live", 0.4), ("phone", "b", "p1", "print", 0.2)]
    hashed = make_scores(rows).recordings_hash
    assert make_scores(rows[::-1]).recordings_hash == hashed
    assert make_scores([*rows[1:]]).by_recording().recordings_hash == hashed
    assert make_scores([*rows[:2], ("phone", "b", "p1", "print", None)]).recordings_hash == hashed
    for other in ([*rows[1:2], ("phone", "b", "p2", "print", 0.2)], [*rows, ("desk", "a", "l1", "live", 0.9)]):
        assert make_scores(other).recordings_hash != hashed
