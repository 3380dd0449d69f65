"""The card says what was measured and what falls short of the rule."""

import json
from pathlib import Path

import pytest

from dgfas.benchmark.card_page import write_card
from dgfas.benchmark.simulation_card import DATA_SEEDS, Run, runs
from dgfas.simulation import CAPTURE_DOMAINS


def results(folder: Path, areas: dict[str, float], changed: dict[str, float]) -> Path:
    """Write a file a planned run; `changed` gives the area of single runs."""
    for run in runs():
        area = changed.get(run.name.split("-", 1)[1], areas[run.kind.split("-")[0]])
        content = {
            **vars(run),
            "auc": area,
            "made_by": {"seconds": 1, "commit": "abc", "machine": "a machine", "torch": "2"},
        }
        (folder / f"{run.name}.json").write_text(json.dumps(content))
    return folder


GOOD = {"intra": 0.99, "unseen": 0.85, "probe": 0.4}


def card(tmp_path: Path, areas: dict[str, float], changed: dict[str, float]) -> str:
    page = tmp_path / "docs" / "card.md"
    (tmp_path / "results").mkdir()
    write_card(results(tmp_path / "results", areas, changed), page, planned=len(list(runs())))
    return page.read_text()


def test_runs_cover_every_cell_once() -> None:
    planned = list(runs())
    assert len({run.name for run in planned}) == len(planned)
    assert len(planned) == 2 * 5 * 4 + 2 * 5 * 4 * 2
    assert Run("intra", "phone", DATA_SEEDS[1], 4) in planned


def test_a_good_data_set_has_no_shortfall(tmp_path: Path) -> None:
    text = card(tmp_path, GOOD, {})
    assert "| CNN, unseen domain | 0.850 ± 0.000 | 0.850" in text
    assert "histogram, unseen domain, max(AUC, 1 - AUC) | 0.600" in text  # 0.4 read backwards
    shortfalls = text.split("## What falls short")[1]
    assert "Within" not in shortfalls
    assert "Unseen" not in shortfalls
    assert "is asked for" not in shortfalls


@pytest.mark.parametrize(
    ("areas", "sentence"),
    [
        (GOOD | {"intra": 0.95}, "Within desk: 0.950, which is not above 0.97"),
        (GOOD | {"unseen": 0.97}, "Unseen webcam: 0.970, which is not between 0.70 and 0.93"),
        (GOOD | {"unseen": 0.65}, "Unseen phone: 0.650, which is not between"),
        (GOOD | {"probe": 0.83}, "The probe border is 0.020 below the CNN; 0.03 is asked for"),
        (GOOD | {"probe": 0.17}, "The probe thumbnail is 0.020 below the CNN"),
    ],
)
def test_what_falls_short_is_said(tmp_path: Path, areas: dict[str, float], sentence: str) -> None:
    assert sentence in card(tmp_path, areas, {})


def test_means_are_over_runs(tmp_path: Path) -> None:
    text = card(tmp_path, GOOD, {f"d{DATA_SEEDS[0]}-t0-unseen-desk": 0.65})
    assert f"| {(9 * 0.85 + 0.65) / 10:.3f} ± 0.063 | 0.850" in text


def test_an_unfinished_measurement_says_so(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    folder = results(tmp_path / "results", GOOD, {})
    for path in folder.glob("*-t[1-4]-*"):
        path.unlink()
    write_card(folder, tmp_path / "card.md", planned=len(list(runs())))
    assert "56 of 120 planned runs are done" in (tmp_path / "card.md").read_text()
    for path in folder.glob("*-phone.json"):
        path.unlink()
    write_card(folder, tmp_path / "card.md", planned=len(list(runs())))
    assert "phone: not all kinds of run are done" in (tmp_path / "card.md").read_text()
    assert set(CAPTURE_DOMAINS) <= set((tmp_path / "card.md").read_text().replace("|", " ").split())
