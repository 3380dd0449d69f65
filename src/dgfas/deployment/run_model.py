"""A run in the place of its model file: the same face finder, limits and answers in front of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

import dgfas
from dgfas.core.config import RunConfig
from dgfas.deployment.model_file import ModelFacts
from dgfas.evaluation import metrics
from dgfas.evaluation.calibration import Calibration
from dgfas.evaluation.scores import LEVELS, Level, Scores
from dgfas.evaluation.thresholds import Threshold
from dgfas.faces.options import PrepareOptions
from dgfas.training.record import read_config, read_record
from dgfas.training.run import Scorer, load_scorer
from dgfas.training.selection import development_scores, read_operating_point


@dataclass(frozen=True)
class RunModel:
    """A finished run at its operating point, of any method. Not for several threads at once."""

    path: Path
    facts: ModelFacts
    scorer: Scorer
    sha256: str = ""

    @classmethod
    def load(cls, run: Path) -> "RunModel":
        """Raises UserError if the run has not finished, or is of a learned method and torch is missing."""
        step, _ = read_operating_point(run)
        return cls(run, facts_of(run, None), load_scorer(run, step))

    def score_crops(self, crops: Sequence[UInt8[np.ndarray, "s s 3"]]) -> Float[np.ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size. Raises UserError if the method needs more than one."""
        return self.scorer.score_crops(crops)


def facts_of(run: Path, calibration: Calibration | None) -> ModelFacts:
    """Return what a model file of the run says of itself, but for the card. Raises UserError if it has not finished."""
    step, thresholds = read_operating_point(run)
    config, record = read_config(run), read_record(run)
    return ModelFacts(
        method=Path(config.method).stem,
        precision="float32",
        image_size=config.network.image_size,
        hsv=config.data.hsv,
        preprocessing=PrepareOptions(**(record.get("preparation") or {})),
        calibration=calibration,
        thresholds=thresholds,
        provenance=_provenance(run, step, config, record, thresholds),
        card="",
    )


def development_rates(scores: Scores, thresholds: dict[Level, Threshold]) -> dict[str, dict[str, float]]:
    """Return HTER and AUC in [0, 1] of frame scores by level, each at its threshold, and the number of rows."""
    rates: dict[str, dict[str, float]] = {}
    for level in LEVELS:
        rows = scores.at(level)
        hter = metrics.hter_at(rows.score, rows.is_live, thresholds[level].value)
        rates[level] = {"hter": hter, "auc": metrics.auc(rows.score, rows.is_live), "rows": len(rows.rows)}
    return rates


def _provenance(
    run: Path, step: int, config: RunConfig, record: dict[str, Any], thresholds: dict[Level, Threshold]
) -> dict[str, Any]:
    return {
        "run": run.resolve().name,
        "checkpoint": step,
        "selection": config.selection,
        "sources": list(config.data.sources),
        "target": config.data.target,
        "seed": config.training.seed,
        "iterations": config.training.iterations,
        "preset": config.preset,
        "options": config.options,
        "network": config.network.model_dump(mode="json"),
        "data": [{"folder": Path(root).name, "manifest_sha256": sha} for root, sha in record["manifests"].items()],
        "development": development_rates(development_scores(run)[step], thresholds),
        "trained_with": {name: record[name] for name in ("dgfas", "torch") if name in record},
        "exported_with": {"dgfas": dgfas.__version__},
    }
