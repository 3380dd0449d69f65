"""Networks -> scores."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from dgfas.core.errors import UserError
from dgfas.core.progress import Progress
from dgfas.data.batches import BatchLoader
from dgfas.methods.base import Method


def raw_scores(method: Method, loader: BatchLoader, progress: Progress | None = None) -> Float[ndarray, " n"]:
    """Return the method's score of every frame of `loader`, higher = more live, by running BatchNorm statistics.

    Raises UserError if a score is not finite.
    """
    was_training = method.training
    method.eval()
    total = len(loader.position)
    scores: list[float] = []
    with torch.inference_mode():
        for images in loader.chunks():
            scores += method.score(images).double().tolist()
            if progress is not None:
                progress(len(scores), total)
    method.train(was_training)
    raw = np.array(scores)
    if not np.isfinite(raw).all():
        raise UserError(
            f"{(~np.isfinite(raw)).sum()} of {total} scores are no longer finite: the training has diverged; "
            "the last checkpoint is intact. Lower options.learning_rate"
        )
    return raw
