"""A trained model: a run's method at one checkpoint, from face crops to P(live)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray

from dgfas.core.config import RunConfig
from dgfas.core.files import read_json
from dgfas.core.progress import Progress
from dgfas.data.batches import BatchLoader
from dgfas.data.colour import rgb_and_hsv, to_size
from dgfas.evaluation.calibration import Calibration
from dgfas.evaluation.parts import Part
from dgfas.methods.base import Method
from dgfas.training.checkpoint import checkpoint_path, read_checkpoint
from dgfas.training.configure import provider_of
from dgfas.training.loop import build_method
from dgfas.training.record import read_config
from dgfas.training.scoring import raw_scores
from dgfas.training.task_data import TaskData


def scoring_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class TrainedModel:
    """A method that scores, and the map of its raw score to P(live) where it needs one."""

    config: RunConfig
    method: Method
    calibration: Calibration | None

    @classmethod
    def load(cls, run: Path, step: int) -> "TrainedModel":
        """Load the checkpoint after `step` iterations. Raises UserError if it is missing or does not fit the run."""
        config = read_config(run)
        method = build_method(config, provider_of(config).n_domains).to(scoring_device())
        read_checkpoint(checkpoint_path(run, step), method)
        calibration = run / "development" / f"{step:07d}.json"
        if method.score_is_probability:
            return cls(config, method.eval(), None)
        return cls(config, method.eval(), Calibration.from_dict(read_json(calibration, "slope", "intercept")))

    @property
    def uses_target_images(self) -> bool:
        """Whether the method adapts to the unlabelled images of a target before it scores them."""
        return self.method.uses_target_images

    def score_part(self, data: TaskData, part: Part, progress: Progress | None = None) -> Float[ndarray, " n"]:
        """Return P(live) of every frame of a part."""
        return self.score_frames(data.loader(part, scoring_device()), progress)

    def score_frames(self, loader: BatchLoader, progress: Progress | None = None) -> Float[ndarray, " n"]:
        """Return P(live) of every frame of `loader`; a method that uses target images adapts to them first."""
        if self.method.uses_target_images:
            self.method.adapt_to(loader.chunks())
        return self.score_as_trained(loader, progress)

    def score_as_trained(self, loader: BatchLoader, progress: Progress | None = None) -> Float[ndarray, " n"]:
        """Return P(live) of every frame of `loader` without adapting first, as development frames are scored."""
        return self._probability(raw_scores(self.method, loader, progress))

    def score_crops(self, crops: Sequence[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size."""
        side, hsv = self.config.network.image_size, self.config.data.hsv
        inputs = np.stack([rgb_and_hsv(to_size(crop, side), hsv) for crop in crops])
        with torch.inference_mode():
            images = torch.from_numpy(inputs).to(scoring_device(), torch.get_default_dtype()).div_(255)
            raw = self.method.score(images).double().cpu().numpy()
        return self._probability(raw)

    def _probability(self, raw: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
        return raw if self.calibration is None else self.calibration.apply(raw)
