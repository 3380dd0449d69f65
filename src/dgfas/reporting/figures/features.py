"""What a trained network makes of frames: outputs of its parts, collected while it scores."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

from dgfas.core.errors import UserError
from dgfas.methods.base import Method
from dgfas.methods.style import outputs_while_scoring
from dgfas.networks.heads import AdaptationLearner, MetaLearner
from dgfas.reporting.figures.finished_run import FinishedRun
from dgfas.reporting.figures.frames import Frames
from dgfas.training.trained import TrainedModel

Kind = TypeVar("Kind", bound=Method)


def trained(run: FinishedRun, kind: type[Kind]) -> Kind:
    """Return the run's method at its deployable checkpoint, in evaluation mode."""
    method = TrainedModel.load(run.path, run.step).method
    assert isinstance(method, kind)
    return method


def collect(
    method: Method,
    frames: Frames,
    modules: Mapping[str, nn.Module],
    summary: Callable[[dict[str, Any]], dict[str, Tensor]],
) -> dict[str, Float[ndarray, "n ..."]]:
    """Score `frames` and return, by name, what `summary` makes of the outputs of `modules`; a row a frame."""
    rows: dict[str, list[ndarray]] = {}
    with torch.inference_mode():
        for images in frames.chunks():
            for name, value in summary(outputs_while_scoring(method, modules, images)).items():
                rows.setdefault(name, []).append(value.double().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def classifier_of(method: Method) -> MetaLearner | AdaptationLearner:
    """Return the classifier behind the encoder. Raises UserError if the method has none of this kind."""
    for module in method.modules():
        if isinstance(module, MetaLearner | AdaptationLearner):
            return module
    raise UserError(f"{type(method).__name__} has no classifier of the shared kind")


def last_features(method: Method, frames: Frames) -> Float[ndarray, "n c"]:
    """Return what the classifier's output layer reads of each frame; of D2AM, the adaptation layer's features."""
    classifier = classifier_of(method)
    layer = classifier.adaptation if isinstance(classifier, AdaptationLearner) else classifier.body
    return collect(method, frames, {"features": layer}, lambda outputs: outputs)["features"]
