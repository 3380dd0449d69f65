"""The cards of the methods: the numbers in them are those of the files that they point to."""

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from dgfas.methods.registry import classical_names, method_names
from dgfas.reporting.study import cell, read_study

ROOT = Path(__file__).parents[2]
SEEDS = (11, 12, 13)  # of the study that the cards quote


def card(method: str) -> str:
    """The card's text in one line."""
    return " ".join((ROOT / "docs" / "methods" / f"{method}.md").read_text().split())


@cache
def study() -> pd.DataFrame:
    rows = read_study(ROOT / "docs" / "results" / "methods" / "runs")
    return rows[(rows["level"] == "recording") & rows["seed"].isin(SEEDS)]


@pytest.mark.parametrize("method", method_names())
def test_a_card_states_what_the_method_costs(method: str) -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "method_cost.json").read_text())["figures"]
    value = {figure["what"]: figure["value"]["median"] for figure in figures}
    time, memory = value[f"{method}: iteration time"], value[f"{method}: peak memory"]
    if method != "binary_cnn":
        assert f"takes {time:.2f} times the processor time and {memory:.2f} times the peak memory" in card(method)
    else:
        seconds = value["binary_cnn: one iteration on one core"]
        megabytes = value["binary_cnn: peak memory of an iteration"]
        assert f"{seconds:.3f}".lstrip("0") + f" s an iteration of one core and {megabytes:.0f} MB" in card(method)


@pytest.mark.parametrize("method", [*method_names(), *classical_names()])
def test_a_card_states_what_the_study_measured(method: str) -> None:
    own = study()[study()["label"] == method]
    assert len(own) == 2 * 4 * len(SEEDS)
    deployable, oracle = (cell(own[own["track"] == track], "hter") for track in ("deployable", "oracle"))
    assert f"HTER {deployable} % deployable, {oracle} % oracle" in card(method)
