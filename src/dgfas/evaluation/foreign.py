"""The scores of any system, by whomever made, measured as a run of ours is."""

from pathlib import Path
from typing import Any

from dgfas.core.files import hash_of_file
from dgfas.evaluation.scores import ScoreRange, Scores
from dgfas.evaluation.scores_file import read_scores
from dgfas.evaluation.tracks import Evaluation, evaluate_scores


def evaluate_files(
    target: Path, development: Path | None, *, threshold: str, score_range: ScoreRange = "unit", name: str | None = None
) -> Evaluation:
    """Measure a `scores.csv` of the target; the one of source `development` data fixes the threshold.

    With `score_range` "any" scores and thresholds stay in the system's own unit: every metric depends on the order of
    the scores alone, so that nothing is calibrated. A recording is the mean of its frames in that unit. `name` is the
    system's. Raises UserError for a file at fault, a missing class, and a subject or recording in both files.
    """
    scores = read_scores(target, score_range)
    source = None if development is None else read_scores(development, score_range)
    results = evaluate_scores(source, scores, threshold=threshold)
    about: dict[str, Any] = {
        "system": name,
        "task": _domains(scores) if source is None else f"{_domains(source)} to {_domains(scores)}",
        "target": _domains(scores),
        "threshold": threshold,
        "score_range": score_range,
        "files": {str(path): hash_of_file(path) for path in (target, development) if path is not None},
    }
    return Evaluation(name or str(target), results, about)


def _domains(scores: Scores) -> str:
    return "&".join(sorted(scores.rows["domain"].unique()))
