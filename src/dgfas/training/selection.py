"""Which checkpoint, by which rule: chosen on source development scores alone, before any target is touched."""

from pathlib import Path

from dgfas.core.config import SelectionRule
from dgfas.core.errors import UserError
from dgfas.core.files import read_json, write_json
from dgfas.evaluation.scores import LEVELS, Level, Scores
from dgfas.evaluation.scores_file import read_scores
from dgfas.evaluation.thresholds import Threshold
from dgfas.evaluation.tracks import choose_deployable
from dgfas.training.record import read_config

OPERATING_POINT_NAME = "operating_point.json"


def development_scores(run: Path) -> dict[int, Scores]:
    """Return the source development scores of each kept checkpoint. Raises UserError if there are none yet."""
    files = sorted(file for file in (run / "development").glob("*.csv") if file.stem.isdigit())
    if not files:
        raise UserError(f"{run}: has no checkpoint yet; continue it with `dgfas train --resume {run}`")
    return {int(file.stem): read_scores(file) for file in files}


def freeze_operating_point(
    run: Path, *, selection: SelectionRule, threshold: str
) -> tuple[int, dict[Level, Threshold]]:
    """Choose the checkpoint and a threshold a level from source development scores, and store them with the run."""
    development = development_scores(run)
    thresholds: dict[Level, Threshold] = {}
    for level in LEVELS:
        step, thresholds[level] = choose_deployable(development, level, selection=selection, threshold=threshold)
    stored = {level: fixed.to_dict() for level, fixed in thresholds.items()}
    write_json(run / OPERATING_POINT_NAME, {"checkpoint": step, "selection": selection, "thresholds": stored})
    return step, thresholds


def read_operating_point(run: Path) -> tuple[int, dict[Level, Threshold]]:
    """Return the stored checkpoint and the thresholds by level. Raises UserError if training has not finished."""
    path = run / OPERATING_POINT_NAME
    if not path.is_file():
        read_config(run)  # says so if the folder holds no run at all
        raise UserError(f"{run}: has no operating point yet; finish it with `dgfas train --resume {run}`")
    content = read_json(path)
    try:
        return int(content["checkpoint"]), {
            level: Threshold.from_dict(content["thresholds"][level]) for level in LEVELS
        }
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: is damaged; `dgfas train --resume {run}` writes it again") from error
