"""A photo or a clip, as it is on disk -> a score and a decision by the stored threshold."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from dgfas.evaluation.scores import Level
from dgfas.evaluation.thresholds import Threshold
from dgfas.faces.finder import FaceFinder
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare_one
from dgfas.training.record import read_record
from dgfas.training.run import load_scorer
from dgfas.training.selection import read_operating_point

Decision = Literal["live", "spoof", "no face"]


@dataclass(frozen=True)
class FileScore:
    """The answer for one file; `score` is P(live) in [0, 1], the mean over the frames with a face, or None."""

    path: Path
    score: float | None
    decision: Decision
    frames: int  # looked at
    frames_with_face: int
    threshold: Threshold


class FileScorer:
    """A trained run with its operating point, and the face finder in front of it."""

    def __init__(self, run: Path, *, frames: int, detector: Literal["blazeface", "none"]) -> None:
        """Crops are cut as those of the first source were; of a video `frames` frames are looked at.

        Raises UserError if the run has not finished or a model file of the face finder is missing.
        """
        step, self.thresholds = read_operating_point(run)
        self.model = load_scorer(run, step)
        trained_on = PrepareOptions(**(read_record(run).get("preparation") or {}))
        self.options = replace(trained_on, frames_per_recording=frames, detector=detector, stride=1)
        self.finder = FaceFinder(self.options)

    def score(self, path: Path) -> FileScore:
        """Score a photo, a video or a folder of frames. Raises UserError if nothing can be read from it."""
        found = prepare_one(path, self.options, self.finder)
        crops = [crop.image for crop in found if crop.image is not None]
        level: Level = "frame" if len(found) == 1 else "recording"
        threshold = self.thresholds[level]
        if not crops:
            return FileScore(path, None, "no face", len(found), 0, threshold)
        score = float(np.mean(self.model.score_crops(crops)))
        return FileScore(
            path, score, "live" if score >= threshold.value else "spoof", len(found), len(crops), threshold
        )
