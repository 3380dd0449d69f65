"""A result on disk: JSON with everything, CSV with one row a track and level, and the ROC."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dgfas.core.files import write_whole
from dgfas.evaluation.tracks import Evaluation, TrackResult
from dgfas.reporting.roc import OperatingPoint, roc_figure, save_figure


def write_result(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write result.json, result.csv, roc.png and roc.svg into `folder` (made if needed) and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.to_dict(), indent=2, allow_nan=False) + "\n"
    table = pd.DataFrame([result_row(result) for result in evaluation.results]).to_csv(index=False, lineterminator="\n")
    files = {folder / "result.json": text, folder / "result.csv": table}
    for path, content in files.items():
        write_whole(path, content)
    return list(files) + save_figure(evaluation_roc(evaluation), folder / "roc")


def result_row(result: TrackResult) -> dict[str, Any]:
    """Return one flat row; shares are in [0, 1] and their columns need no further words."""
    measured, bootstrap = result.measurement, result.measurement.bootstrap
    row: dict[str, Any] = {
        "track": result.track,
        "level": result.level,
        "checkpoint": result.checkpoint,
        "candidates": result.candidates,
        "selection": result.selection,
        "threshold": measured.threshold.value,
        "threshold_rule": measured.threshold.rule,
        "threshold_data": measured.threshold.data,
        "hter": measured.hter,
        "hter_low": bootstrap.hter[0] if bootstrap.hter else None,
        "hter_high": bootstrap.hter[1] if bootstrap.hter else None,
        "auc": measured.auc,
        "auc_low": bootstrap.auc[0] if bootstrap.auc else None,
        "auc_high": bootstrap.auc[1] if bootstrap.auc else None,
        "eer": measured.eer,
        "far": measured.far,
        "frr": measured.frr,
        "apcer_max": measured.apcer_max,
        "worst_species": measured.worst_species,
        "bpcer": measured.bpcer.share,
        "acer": measured.acer,
        "apnrr": measured.apnrr,
        "bpnrr": measured.bpnrr,
        "live": measured.bpcer.total,
        "spoof": sum(rate.total for rate in measured.apcer.values()),
        "recordings": measured.recordings,
        "persons": bootstrap.persons,
        "exact_intervals": " ".join(bootstrap.exact),
    }
    row |= {f"bpcer_at_apcer_{apcer}": bpcer for apcer, bpcer in measured.bpcer_at_apcer.items()}
    row |= {f"tpr_at_fpr_{fpr}": tpr for fpr, tpr in measured.tpr_at_fpr.items()}
    row |= {f"apcer_{species}": rate.share for species, rate in measured.apcer.items()}
    return row


def evaluation_roc(evaluation: Evaluation) -> Figure:
    """Draw one ROC curve a level and checkpoint, and mark every track's threshold on its own."""
    curves, points = {}, []
    for result in evaluation.results:
        name = f"{result.level}s" if result.checkpoint is None else f"{result.level}s, checkpoint {result.checkpoint}"
        curves[name] = result.scores
        points.append(OperatingPoint(name, f"{result.track}, {result.level}", result.measurement.threshold.value))
    return roc_figure(curves, points, evaluation.title)
