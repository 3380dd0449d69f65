"""The two tracks: what an oracle that sees the target would reach, and what a deployment reaches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from dgfas.core.config import SelectionRule
from dgfas.core.errors import UserError, nearest
from dgfas.evaluation import metrics
from dgfas.evaluation.measurement import Measurement, measure
from dgfas.evaluation.scores import LEVELS, Level, ScoreRange, Scores
from dgfas.evaluation.thresholds import Threshold, eer_threshold, fix_threshold, fixed_threshold, parse_rule

Track = Literal["deployable", "oracle"]
SELECTION_WORDS = {
    "source_validation": "highest mean over source domains of the frame AUC on development data",
    "last": "the last checkpoint",
}
ONE_FILE = "none: one score file"
#: Shares of spoof accepted at which the ROC curve of a result is kept: denser where systems are used.
ROC_FPR = tuple(percent / 100 for percent in (0, 0.5, *range(1, 10), *range(10, 30, 2), *range(30, 101, 5)))


@dataclass(frozen=True)
class TrackResult:
    """What one track measured on the target at one level, and how its checkpoint was chosen.

    `scores` are the target's scores of that checkpoint at that level; the threshold is in `measurement`.
    """

    track: Track
    level: Level
    checkpoint: int | None  # its iteration; None where scores came without checkpoints
    selection: str
    candidates: int  # checkpoints among which it was chosen
    measurement: Measurement
    scores: Scores = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the scores as plain JSON values."""
        return {
            "track": self.track,
            "level": self.level,
            "checkpoint": self.checkpoint,
            "selection": self.selection,
            "candidates": self.candidates,
            **self.measurement.to_dict(),
            "species": self.scores.counts(),
            "recordings_hash": self.scores.recordings_hash,
            "roc": {"fpr": list(ROC_FPR), "tpr": [round(float(tpr), 4) for tpr in self._roc()]},
        }

    def _roc(self) -> np.ndarray:
        return metrics.roc_points(self.scores.score, self.scores.is_live, np.array(ROC_FPR))


@dataclass(frozen=True)
class Evaluation:
    """The results of one training (or of two score files), and `about`: seed, settings, hashes, recording counts."""

    title: str
    results: tuple[TrackResult, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the scores as plain JSON values, with the version of this package."""
        results = [result.to_dict() for result in self.results]
        return {"title": self.title, "dgfas": version("dgfas"), "about": dict(self.about), "results": results}


def choose_deployable(
    development: Mapping[int, Scores], level: Level, *, selection: SelectionRule, threshold: str
) -> tuple[int, Threshold]:
    """Choose a checkpoint and a threshold from the source development scores of each checkpoint, and nothing else.

    `development` maps an iteration to frame scores. `selection`: "source_validation" (of equal ones the later) or
    "last". `threshold`: see `fix_threshold`; it is set on rows at `level`, every domain weighing equally. Raises
    UserError for an unknown rule, or a domain that lacks a class.
    """
    if selection not in SELECTION_WORDS:
        raise UserError(f"unknown selection rule {selection!r}; {nearest(selection, SELECTION_WORDS)}")
    if selection == "last":
        checkpoint = max(development)
    else:
        checkpoint = max(development, key=lambda iteration: (mean_domain_auc(development[iteration]), iteration))
    return checkpoint, _development_threshold(development[checkpoint], level, threshold)


def choose_oracle(target: Mapping[int, Scores], level: Level) -> tuple[int, Threshold]:
    """Choose the checkpoint with the lowest HTER on the target at the target's own EER threshold.

    `target` maps an iteration to frame scores; the choice is made for rows at `level`; of equal ones the later wins.
    """
    choices = []
    for iteration, frames in target.items():
        scores = frames.at(level)
        threshold = _oracle_threshold(scores, level)
        choices.append((metrics.hter_at(scores.score, scores.is_live, threshold.value), -iteration, threshold))
    _, negative_iteration, threshold = min(choices, key=lambda choice: choice[:2])
    return -negative_iteration, threshold


def mean_domain_auc(scores: Scores) -> float:
    """Return the mean over domains of the AUC. Raises UserError if a domain lacks a class."""
    domains = [scores.of_domain(name) for name in sorted(scores.rows["domain"].unique())]
    for domain in domains:
        domain.require_both_classes()
    return float(np.mean([metrics.auc(domain.score, domain.is_live) for domain in domains]))


def evaluate_checkpoints(
    development: Mapping[int, Scores],
    target: Mapping[int, Scores],
    *,
    selection: SelectionRule,
    threshold: str,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[TrackResult, ...]:
    """Return both tracks of one training, by frame and by recording; the deployable one first.

    `development` and `target` map the same iterations to frame scores. `selection` and `threshold` are the rules of
    the deployable track (see `choose_deployable`); the oracle's are fixed. `resamples` and `seed` are the bootstrap's.
    Raises ValueError if the iterations differ, and UserError where development and target share a subject or recording.
    """
    if set(development) != set(target) or not target:
        raise ValueError(f"checkpoints differ: development {sorted(development)}, target {sorted(target)}")
    for iteration, scores in target.items():
        _check_apart(development[iteration], scores)
    deployable, oracle = [], []
    for level in LEVELS:
        checkpoint, fixed = choose_deployable(development, level, selection=selection, threshold=threshold)
        scores = target[checkpoint].at(level)
        measurement = measure(scores, fixed, level, resamples, seed)
        words = SELECTION_WORDS[selection]
        deployable.append(TrackResult("deployable", level, checkpoint, words, len(target), measurement, scores))

        checkpoint, fixed = choose_oracle(target, level)
        scores = target[checkpoint].at(level)
        measurement = measure(scores, fixed, level, resamples, seed)
        words = f"lowest HTER on the target's own {level}s (oracle)"
        oracle.append(TrackResult("oracle", level, checkpoint, words, len(target), measurement, scores))
    return (*deployable, *oracle)


def evaluate_scores(
    development: Scores | None, target: Scores, *, threshold: str, resamples: int = 10_000, seed: int = 0
) -> tuple[TrackResult, ...]:
    """Return both tracks of plain scores, by frame and by recording; the deployable one first.

    `threshold` is the deployable track's rule, set on `development`. Without `development` only a fixed value is
    possible. Raises UserError where development and target share a subject or recording.
    """
    if development is not None:
        _check_apart(development, target)
    elif parse_rule(threshold, target.score_range)[0] != "fixed":
        raise UserError(f"threshold rule {threshold!r} needs development scores; give them, or use fixed=VALUE")
    deployable, oracle = [], []
    for level in LEVELS:
        scores = target.at(level)
        fixed = _development_threshold(development, level, threshold, target.score_range)
        measurement = measure(scores, fixed, level, resamples, seed)
        deployable.append(TrackResult("deployable", level, None, ONE_FILE, 1, measurement, scores))
        measurement = measure(scores, _oracle_threshold(scores, level), level, resamples, seed)
        oracle.append(TrackResult("oracle", level, None, ONE_FILE, 1, measurement, scores))
    return (*deployable, *oracle)


def _development_threshold(
    development: Scores | None, level: Level, rule: str, score_range: ScoreRange = "unit"
) -> Threshold:
    if development is None:
        return fixed_threshold(parse_rule(rule, score_range)[1])
    domains = ", ".join(sorted(development.rows["domain"].unique()))
    return fix_threshold(development.at(level), rule, f"source development {level}s of {domains}")


def _oracle_threshold(scores: Scores, level: Level) -> Threshold:
    return eer_threshold(scores, f"the target's own {level}s (oracle)")


def _check_apart(development: Scores, target: Scores) -> None:
    """Raise UserError if a recording or subject is in both: its threshold would then be fixed on the target."""
    for name in ("recording", "subject"):
        sides = [each.rows[[name]].assign(data_set=each.data_set).drop_duplicates() for each in (development, target)]
        shared = sides[0].merge(sides[1])
        if len(shared):
            who, data_set = shared.iloc[0]
            raise UserError(
                f"{target.origin}: {name} {who!r} of domain {data_set!r} is also in {development.origin}; "
                f"development and target must not share {name}s"
            )
