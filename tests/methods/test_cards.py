"""The cards of the methods: the numbers in them are those of the files that they point to."""

import json
from pathlib import Path

import pytest
from benchmarks.study_tables import STUDIES, study

from dgfas.methods.registry import classical_names, method_names
from dgfas.reporting.cells import cell

ROOT = Path(__file__).parents[2]


def card(method: str) -> str:
    """The card's text in one line."""
    return " ".join((ROOT / "docs" / "methods" / f"{method}.md").read_text().split())


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
    own = study("methods")
    own = own[(own["label"] == method) & (own["level"] == "recording")]
    assert len(own) == 2 * 4 * len(STUDIES["methods"][1])
    deployable, oracle = (cell(own[own["track"] == track], "hter") for track in ("deployable", "oracle"))
    assert f"HTER {deployable} % deployable, {oracle} % oracle" in card(method)
    assert f"<!-- measured: card of {method} -->" in card(method)
