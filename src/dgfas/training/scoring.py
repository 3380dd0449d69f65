"""Networks -> scores."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from dgfas.core.errors import UserError
from dgfas.core.progress import Progress
from dgfas.data.batches import BatchLoader
from dgfas.methods.base import Method

SCORING_BATCH = 64  # frames


def raw_scores(method: Method, loader: BatchLoader, progress: Progress | None = None) -> Float[ndarray, " n"]:
    """Return the method's score of every frame of `loader`, higher = more live, by running BatchNorm statistics.

    Raises UserError if a score is not finite."""
    was_training = method.training
    method.eval()
    total = len(loader.position)
    scores = []
    with torch.inference_mode():
        for first in range(0, total, SCORING_BATCH):
            rows = np.arange(first, min(first + SCORING_BATCH, total))
            scores.append(method.score(loader.images(rows)).double().cpu().numpy())
            if progress is not None:
                progress(int(rows[-1]) + 1, total)
    method.train(was_training)
    joined = np.concatenate(scores)
    if not np.isfinite(joined).all():
        raise UserError(
            f"{(~np.isfinite(joined)).sum()} of {total} scores are no longer finite: the training has diverged; "
            "the last checkpoint is intact. Lower options.learning_rate"
        )
    return joined
