"""What is printed and what is written, down to the bytes."""

import io
import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table

from dgfas.evaluation.intervals import clopper_pearson
from dgfas.evaluation.scores import COLUMNS, Scores
from dgfas.evaluation.tracks import Evaluation, evaluate_checkpoints, evaluate_scores
from dgfas.reporting.comparison import comparison_table
from dgfas.reporting.results import write_result
from dgfas.reporting.roc import OperatingPoint, roc_figure, save_figure
from dgfas.reporting.tables import count_limits, percent_interval, species_table, tracks_table


def draw(domains: list[str], separation: float, seed: int, silent: float = 0.0) -> Scores:
    random = np.random.default_rng(seed)
    rows = []
    for domain in domains:
        for person in range(5):
            for species, label in (("live", 1), ("print", 0), ("replay", 0)):
                for frame in range(3):
                    score = np.clip(0.5 + (label - 0.5) * separation + random.normal(0, 0.2), 0, 1)
                    cells = (domain, f"p{person}", f"p{person}_{species}", frame, species, label)
                    rows.append((*cells, np.nan if random.random() < silent else score))
    return Scores(pd.DataFrame(rows, columns=COLUMNS), "memory")


@pytest.fixture
def evaluation() -> Evaluation:
    development = {10: draw(["desk", "hall"], 0.6, 1), 20: draw(["desk", "hall"], 0.2, 2)}
    target = {10: draw(["phone"], 0.2, 3, silent=0.1), 20: draw(["phone"], 0.6, 4, silent=0.1)}
    results = evaluate_checkpoints(development, target, selection="source_validation", threshold="eer", resamples=50)
    return Evaluation("rfm $ [b], desk&hall to phone", results, {"seed": 7})


def printed(table: Table) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_one_table_holds_both_tracks_and_their_origins(evaluation: Evaluation) -> None:
    text = printed(tracks_table(evaluation))
    assert "rfm $ [b], desk&hall to phone" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    flat = " ".join(text.split())
    assert "deployable, frame: checkpoint: highest mean over source domains" in flat
    assert "threshold: EER, source development frames of desk, hall, every domain weighing equally" in flat
    assert (
        "oracle, recording: checkpoint: lowest HTER on the target's own recordings (oracle), of 2 checkpoints" in flat
    )
    for row in (
        "HTER %",
        "AUC %",
        "EER %",
        "FAR %",
        "FRR %",
        "APCER % worst",
        "BPCER %",
        "ACER %",
        "TPR at FPR 1 %",
        "BPCER10 %",
        "BPCER20 %",
        "BPCER100 %",
        "APNRR %",
    ):
        assert row in text
    line = next(line for line in text.splitlines() if line.strip().startswith("HTER %"))
    assert line.split()[2:] == [f"{100 * result.measurement.hter:.2f}" for result in evaluation.results]
    line = next(line for line in text.splitlines() if line.strip().startswith("checkpoint"))
    assert line.split()[1:] == ["10", "10", "20", "20"]


def test_species_are_printed_as_counts_with_intervals_of_recordings(evaluation: Evaluation) -> None:
    text = printed(species_table(evaluation))
    assert "…" not in text
    lines = [line.split() for line in text.splitlines()]
    start = next(number for number, words in enumerate(lines) if words[:1] == ["replay"])
    rates = [result.measurement.apcer["replay"] for result in evaluation.results]
    assert lines[start][1:] == [f"{100 * rate.share:.2f}" for rate in rates]
    assert lines[start + 1] == [word for rate in rates for word in (str(rate.errors), "of", str(rate.total))]
    assert " ".join(lines[start + 2]) == " ".join(count_limits(rate.errors, rate.interval) for rate in rates[1::2])


def test_intervals_are_printed_in_percent() -> None:
    assert percent_interval((0.0, 0.0243)) == "[0.0, 2.4]"
    assert percent_interval(None) == ""
    assert count_limits(3, (0.004, 0.057)) == "[0.4, 5.7]"


def test_no_error_is_printed_as_a_count_with_its_upper_bound() -> None:
    assert count_limits(0, clopper_pearson(0, 150)) == "≤ 2.4"
    perfect = draw(["phone"], 0.9, 1)
    rows = perfect.rows.assign(score=perfect.rows["label"].astype(float))
    evaluation = Evaluation("perfect", evaluate_scores(None, Scores(rows, "memory"), threshold="fixed=0.5"))
    text = " ".join(printed(species_table(evaluation)).split())
    assert "0 of 15 0 of 5 0 of 15 0 of 5 ≤ 52.2 ≤ 52.2" in text
    text = printed(tracks_table(evaluation))
    assert "0.0, 52.2]*" in text
    assert "* No error was seen: the interval is exact, over persons" in " ".join(text.split())
    assert "…" not in text


def test_the_files_hold_the_same_numbers(evaluation: Evaluation, tmp_path: Path) -> None:
    files = write_result(evaluation, tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["result.json", "result.csv", "roc.png", "roc.svg"]
    assert sorted(file.name for file in files) == sorted(file.name for file in files[0].parent.iterdir())
    fields = json.loads(files[0].read_text())
    table = pd.read_csv(files[1])
    assert fields["about"] == {"seed": 7}
    for number, result in enumerate(evaluation.results):
        assert fields["results"][number]["hter"] == result.measurement.hter
        row = table.iloc[number]
        assert (row["track"], row["level"]) == (result.track, result.level)
        assert row["hter"] == pytest.approx(result.measurement.hter)
        assert row["apcer_print"] == pytest.approx(result.measurement.apcer["print"].share)
        assert row["threshold_data"] == result.measurement.threshold.data
        assert row["spoof"] == (30 if result.level == "frame" else 10)


def test_the_same_result_gives_the_same_bytes(evaluation: Evaluation, tmp_path: Path) -> None:
    first = [file.read_bytes() for file in write_result(evaluation, tmp_path / "a")]
    second = [file.read_bytes() for file in write_result(evaluation, tmp_path / "b")]
    assert first == second


def test_a_figure_is_drawn_with_its_curves_and_points(tmp_path: Path) -> None:
    scores = {"one": draw(["phone"], 0.8, 1), "two": draw(["phone"], 0.1, 2, silent=0.2)}
    figure = roc_figure(scores, [OperatingPoint("two", "deployable", 0.5)], "title")
    (axes,) = figure.axes
    chance, one, two, point = axes.lines
    assert chance.get_xydata().tolist() == [[0, 0], [100, 100]]  # type: ignore[union-attr]
    assert one.get_xydata()[[0, -1]].tolist() == [[100, 100], [0, 0]]  # type: ignore[index, union-attr]
    # with non-responses the curve ends at the share that was answered
    answered = scores["two"].answered
    ends = [100 * answered[~scores["two"].is_live].mean(), 100 * answered[scores["two"].is_live].mean()]
    assert two.get_xydata()[0].tolist() == pytest.approx(ends)  # type: ignore[index, union-attr]
    accepted = scores["two"].score >= 0.5
    expected = [100 * accepted[~scores["two"].is_live].mean(), 100 * accepted[scores["two"].is_live].mean()]
    assert point.get_xydata()[0].tolist() == pytest.approx(expected)  # type: ignore[index, union-attr]
    png, svg = save_figure(figure, tmp_path / "roc.curve")
    assert matplotlib.image.imread(png).shape == (960, 930, 4)
    assert svg.name == "roc.curve.svg"
    assert "<svg" in svg.read_text()


def test_many_curves_and_a_single_person_are_no_trouble(tmp_path: Path) -> None:
    save_figure(
        roc_figure({str(number): draw(["phone"], 0.1 * number, number) for number in range(9)}), tmp_path / "many"
    )
    lonely = draw(["phone"], 0.5, 1)
    lonely = Scores(lonely.rows[lonely.rows["subject"] == "p0"], "one person")
    evaluation = Evaluation("one person", evaluate_scores(None, lonely, threshold="fixed=0.5"))
    assert "fixed value, no data" in printed(tracks_table(evaluation))
    write_result(evaluation, tmp_path)


def test_methods_measured_on_different_recordings_are_marked() -> None:
    results = {}
    for method, domain in (("cnn", "phone"), ("rfm", "phone"), ("mine", "hall")):
        scores = evaluate_scores(draw(["desk"], 0.5, 1), draw([domain], 0.5, 2), threshold="eer", resamples=20)
        results[method] = Evaluation(method, scores)
    text = printed(comparison_table(results, "three", "recording"))
    assert "mine †" in text
    assert "† measured on other recordings than the first method: not comparable" in text
    assert "†" not in printed(comparison_table({name: results[name] for name in ("cnn", "rfm")}, "two", "recording"))
