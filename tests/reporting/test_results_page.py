"""The pages of docs/results, and what the cards quote of them, hold what the results beside them give."""

from functools import cache
from pathlib import Path

import pytest
from benchmarks.study_tables import ROOT, STUDIES, TABLES, filled, labels, pages, study

pytestmark = pytest.mark.slow


@cache
def made() -> dict[Path, str]:
    return dict(pages())


def test_every_page_is_as_the_results_make_it() -> None:
    """`make study-tables` writes what differs."""
    assert {str(path.relative_to(ROOT)) for path, text in made().items() if path.read_text() != text} == set()


def test_every_table_is_in_a_page() -> None:
    text = "".join(made().values())
    assert [name for name in TABLES if f"<!-- measured: {name} -->" not in text] == []


@pytest.mark.parametrize("name", STUDIES)
def test_every_row_of_a_study_was_trained(name: str) -> None:
    assert set(study(name)["label"]) == {*labels(name)}


@pytest.mark.parametrize("name", STUDIES)
def test_every_seed_of_a_study_is_whole(name: str) -> None:
    rows, seeds = study(name), STUDIES[name][1]
    assert set(rows["seed"]) == set(seeds)
    counts = rows.groupby(["task", "label", "seed"]).size()
    assert len(counts) == rows["task"].nunique() * rows["label"].nunique() * len(seeds)
    assert set(counts) == {4}  # two tracks, two levels


def test_a_wrong_number_is_put_right_and_an_unknown_table_refused() -> None:
    path = ROOT / "docs" / "results" / "index.md"
    text = path.read_text()
    start = text.index("<!-- measured: mean of tasks -->")
    number = text.index(" ± ", start) - 1
    assert text[number].isdigit()
    assert filled(text[:number] + "x" + text[number + 1 :]) == text
    with pytest.raises(KeyError, match="mean of taks"):
        filled(text.replace("measured: mean of tasks", "measured: mean of taks"))
