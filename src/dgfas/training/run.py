"""Runs of every kind: learned ones need torch, hand-crafted ones do not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jaxtyping import Float, UInt8
from numpy import ndarray

from dgfas.core.config import RunConfig
from dgfas.core.progress import Progress, Silent
from dgfas.evaluation.parts import Part
from dgfas.training import classical
from dgfas.training.configure import is_classical, need_torch
from dgfas.training.record import read_config
from dgfas.training.task_data import TaskData


class Scorer(Protocol):
    """What a finished run is used for."""

    @property
    def uses_target_images(self) -> bool:
        """Whether it adapts to the unlabelled images of a target before it scores them."""

    def score_part(self, data: TaskData, part: Part, progress: Progress | None = None) -> Float[ndarray, " n"]:
        """Return P(live) of every frame of a part."""

    def score_crops(self, crops: Sequence[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size."""


def start(config: RunConfig, run: Path, report: Silent) -> bool:
    """Do the new run of `config` in folder `run`; return whether this process is the first of its processes."""
    if is_classical(config):
        classical.fit(config, run, report)
        return True
    need_torch()
    from dgfas.training.loop import train

    return train(config, run, report) is not None


def resume(run: Path, report: Silent) -> bool:
    """Continue a run to its end; return whether this process is the first of its processes."""
    if is_classical(read_config(run)):
        classical.finish(run, report)
        return True
    need_torch()
    from dgfas.training.loop import resume as resume_training

    return resume_training(run, report) is not None


def load_scorer(run: Path, step: int) -> Scorer:
    """Return what scores with the checkpoint after `step` iterations."""
    if is_classical(read_config(run)):
        return classical.ClassicalScorer.load(run)
    need_torch()
    from dgfas.training.trained import TrainedModel

    return TrainedModel.load(run, step)


def weights_file(run: Path, step: int) -> Path:
    """Return the file that holds what was learned after `step` iterations."""
    if is_classical(read_config(run)):
        return classical.model_path(run)
    need_torch()
    from dgfas.training.checkpoint import checkpoint_path

    return checkpoint_path(run, step)
