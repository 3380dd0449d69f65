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

    Raises UserError if a score is not finite, or no probability where the method says that it is one.
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
    if method.score_is_probability and ((raw < 0) | (raw > 1)).any():
        raise UserError(
            f"method {type(method).__name__}: its scores reach from {raw.min():.3g} to {raw.max():.3g}, P(live) is in "
            "[0, 1]; return a probability, or set score_is_probability = False in its class to have them calibrated"
        )
    return raw
