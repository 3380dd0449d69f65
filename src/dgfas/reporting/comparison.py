"""Several methods on one task, beside each other."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from dgfas.evaluation.scores import Level
from dgfas.evaluation.tracks import Evaluation, Track, TrackResult
from dgfas.reporting.roc import OperatingPoint, roc_figure, save_figure
from dgfas.reporting.tables import OTHER_TEST_SET, bootstrap_interval, percent

OTHER_WORDS = f"{OTHER_TEST_SET.strip()} measured on other recordings than the first method: not comparable"
TRACK_WORDS: dict[Track, str] = {
    "deployable": "deployable: checkpoint and threshold from source development data",
    "oracle": "oracle: checkpoint and threshold from the target itself, as most published numbers",
}


def comparison_table(evaluations: Mapping[str, Evaluation], title: str, level: Level) -> Table:
    """Return a row a method and track: HTER and AUC with 95 % intervals, BPCER and the worst species' APCER."""
    rows = comparison_rows(evaluations, level)
    other = [OTHER_WORDS] if any(OTHER_TEST_SET in row["method"] for row in rows) else []
    table = Table(title=Text(title), caption=Text("\n".join([*TRACK_WORDS.values(), *other])), box=box.SIMPLE_HEAD)
    table.title_justify = table.caption_justify = "left"
    for heading in ("method", "track"):
        table.add_column(heading, no_wrap=True)
    for heading in ("HTER %", "AUC %", "BPCER %", "APCER %\nworst"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row.values())
    return table


def comparison_rows(evaluations: Mapping[str, Evaluation], level: Level) -> list[dict[str, str]]:
    """Return the cells of `comparison_table`, a dictionary a row; † marks other recordings than the first method's."""
    rows, first = [], ""
    for method, evaluation in evaluations.items():
        for result in evaluation.results:
            if result.level == level:
                first = first or result.scores.recordings_hash
                mark = "" if result.scores.recordings_hash == first else OTHER_TEST_SET
                rows.append({"method": method + mark, "track": result.track, **_cells(result)})
    return rows


def _cells(result: TrackResult) -> dict[str, str]:
    measured = result.measurement
    return {
        "HTER %": f"{percent(measured.hter)}\n{bootstrap_interval(measured.bootstrap, 'hter')}",
        "AUC %": f"{percent(measured.auc)}\n{bootstrap_interval(measured.bootstrap, 'auc')}",
        "BPCER %": percent(measured.bpcer.share),
        "APCER % worst": f"{percent(measured.apcer_max)}\n{measured.worst_species}",
    }


def write_comparison(evaluations: Mapping[str, Evaluation], title: str, level: Level, folder: Path) -> list[Path]:
    """Write comparison.csv and the ROC of every method's deployable checkpoint; return the paths."""
    table = folder / "comparison.csv"
    rows = pd.DataFrame(comparison_rows(evaluations, level)).replace("\n", " ", regex=True)
    rows.to_csv(table, index=False, lineterminator="\n")
    curves, points = {}, []
    for method, evaluation in evaluations.items():
        for result in evaluation.results:
            if result.track == "deployable" and result.level == level:
                curves[method] = result.scores
                points.append(OperatingPoint(method, f"{method}, deployable", result.measurement.threshold.value))
    return [table, *save_figure(roc_figure(curves, points, title), folder / "roc")]
