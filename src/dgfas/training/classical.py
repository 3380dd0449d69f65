"""Fit a hand-crafted method on a task: one fit, one checkpoint, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from dgfas.core.config import RunConfig
from dgfas.core.errors import UserError
from dgfas.core.progress import Progress, Silent, named
from dgfas.data.colour import to_size
from dgfas.evaluation.parts import Part
from dgfas.evaluation.scores import scores_of_frames
from dgfas.evaluation.scores_file import write_scores
from dgfas.methods.classical.base import ClassicalMethod
from dgfas.methods.classical.training import fit_method, score_rows
from dgfas.methods.registry import classical_options, load_classical
from dgfas.training.record import held, read_config, require_new, require_same_data, start_record
from dgfas.training.task_data import TaskData, load_task

THE_STEP = 1  # there is one fit, and so one checkpoint


def model_path(run: Path) -> Path:
    """Return the file of the fitted method."""
    return run / "checkpoints" / "classical.npz"


def fit(config: RunConfig, run: Path, report: Silent) -> None:
    """Fit the method of `config` into the new folder `run`, and score the source development data with it.

    Raises UserError if the folder holds a run already, or another process trains it.
    """
    require_new(run)
    data = load_task(config.data, config.network.image_size, config.data.target, report.progress)
    with held(run):
        start_record(run, config, data.facts() | {"seed": config.training.seed})
        _fit(config, run, data, report)


def finish(run: Path, report: Silent) -> None:
    """Fit again a run that was stopped before its fit was done; nothing is left of an unfinished fit.

    Raises UserError if its data have changed, or another process trains it.
    """
    config = read_config(run)
    with held(run):
        if (run / "development" / f"{THE_STEP:07d}.csv").is_file():
            return
        data = load_task(config.data, config.network.image_size, config.data.target)
        require_same_data(run, data.facts())
        _fit(config, run, data, report)


def _fit(config: RunConfig, run: Path, data: TaskData, report: Silent) -> None:
    method = load_classical(config.method)(classical_options(config.method, config.options))
    training, development = data.part("train"), data.part("validation")
    fit_method(method, data.crop, training, development, named(report.progress, "features"))
    model_path(run).parent.mkdir(exist_ok=True)
    method.save(model_path(run))
    score = score_rows(method, data.crop, development, named(report.progress, "source validation"))
    (run / "development").mkdir(exist_ok=True)
    scores = scores_of_frames(development, score, data.split.rejected["validation"], "source development data")
    write_scores(run / "development" / f"{THE_STEP:07d}.csv", scores)


@dataclass(frozen=True)
class ClassicalScorer:
    """A fitted hand-crafted method, from face crops to P(live)."""

    config: RunConfig
    method: ClassicalMethod
    uses_target_images: bool = False

    @classmethod
    def load(cls, run: Path) -> "ClassicalScorer":
        """Load the fitted method of a run. Raises UserError if its file is missing or broken."""
        config = read_config(run)
        return cls(config, load_classical(config.method).load(model_path(run)))

    def score_part(self, data: TaskData, part: Part, progress: Progress | None = None) -> Float[ndarray, " n"]:
        """Return P(live) of every frame of a part."""
        return score_rows(self.method, data.crop, data.part(part), progress)

    def score_crops(self, crops: Sequence[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, " n"]:
        """Return P(live) of square RGB face crops. Raises UserError if the method needs consecutive frames."""
        if self.method.needs_consecutive_frames:
            raise UserError(f"method {self.config.method} needs consecutive frames; it cannot score single pictures")
        side = self.config.network.image_size
        return self.method.score(np.stack([self.method.features([to_size(crop, side)]) for crop in crops]))
