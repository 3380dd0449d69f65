"""The tables of docs/results/index.md and claims.md hold what the results beside them give."""

from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from dgfas.evaluation.tracks import Track
from dgfas.methods.registry import method_names
from dgfas.reporting.claims import paper_claims
from dgfas.reporting.study import cell, markdown, read_study, study_table
from dgfas.reporting.study_page import comparison_table, gap_table

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SEEDS = (11, 12, 13)
TRACKS: tuple[Track, ...] = ("deployable", "oracle")
METHODS = [*method_names()[:3], "binary_cnn-mixed", *method_names()[3:], "ms_lbp", "color_texture", "ida", "lbp_top"]
WITH_SECOND_ROW = ("rfm", "d2am", "pdl_fas", "drdg", "anrl", "ssdg")


@cache
def study() -> pd.DataFrame:
    rows = read_study(RESULTS / "methods" / "runs")
    return rows[(rows["level"] == "recording") & rows["seed"].isin(SEEDS)]


def rows_of(text: str) -> list[tuple[str, ...]]:
    """The cells of every row of a Markdown text's tables, labels without their quotes."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [tuple(part.strip().replace("`", "") for part in line.strip("| ").split("|")) for line in lines]


@cache
def page(heading: str) -> list[tuple[str, ...]]:
    """The rows of the page's section with this heading."""
    text = (RESULTS / "index.md").read_text()
    return rows_of(text.split(f"\n## {heading}\n")[1].split("\n## ")[0])


def test_the_mean_of_tasks() -> None:
    hter, auc = (gap_table(study(), metric, "recording", METHODS) for metric in ("hter", "auc"))
    tracks = ["B deployable", "A oracle"]
    expected = [
        (one["method"], *(one[track] for track in [*tracks, "gap B - A"]), *(other[track] for track in tracks))
        for one, other in zip(hter.to_dict("records"), auc.to_dict("records"), strict=True)
    ]
    assert page("Mean of the four tasks")[2:] == expected


@pytest.mark.parametrize("track", TRACKS)
def test_hter_by_task(track: Track) -> None:
    own = study()[study()["label"].isin(METHODS)]
    table = study_table(own, "hter", track, "recording", METHODS)
    assert page(f"HTER % by task, {track}") == rows_of(markdown(table))


def test_differences_from_the_plain_cnn() -> None:
    found = page("Against the plain CNN")
    expected = []
    for track in TRACKS:
        table = comparison_table(study(), "hter", track, "recording", METHODS, "binary_cnn")
        expected += rows_of(markdown(table.drop(columns="rank-biserial")))
    assert found == expected


def test_second_rows() -> None:
    found = {row[0]: row for row in page("The papers' own rates")}
    for method in WITH_SECOND_ROW:
        second = f"{method}-paper-rate"
        for label in (method, second):
            own = study()[study()["label"] == label]
            assert found[label][2:4] == tuple(str(cell(own[own["track"] == track], "hter")) for track in TRACKS)
        tables = (comparison_table(study(), "hter", track, "recording", [second], method) for track in TRACKS)
        assert found[second][4:] == tuple(table[f"minus {method}, points"].item() for table in tables)


@pytest.mark.parametrize("source", ["RFM table 3", "D2AM table 3", "DRDG table 3", "ANRL table 3", "ANRL table 4"])
def test_claims_of_an_ablation(source: str) -> None:
    claims = next(each for each in paper_claims(study()) if each.source == source)
    assert markdown(claims.table) in (RESULTS / "claims.md").read_text()
