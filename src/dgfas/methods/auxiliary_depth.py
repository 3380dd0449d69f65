"""Auxiliary (Depth): the shared encoder and depth estimator trained on depth alone; the score is the mean depth.

After Liu, Jourabloo and Liu, "Learning deep models for face anti-spoofing: binary or auxiliary supervision"
(CVPR 2018), without its temporal branch, as the five papers' tables name it.
"""

import torch
from torch import Tensor

from dgfas.data.batches import Batch
from dgfas.losses.depth import depth_error
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import DepthEstimator


class AuxiliaryDepth(Method):
    """Regress the depth map of a live face, zero for a flat attack."""

    Options = MethodOptions
    score_is_probability = False

    def __init__(self, options: MethodOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.encoder = Encoder(setup.network)
        self.depth = DepthEstimator(self.encoder.concat_channels, setup.network.width)
        self.optimiser = self.adam("all", [self.encoder, self.depth], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        losses = [
            depth_error(self.depth(self.encoder(group.images).concat), group.depth, group.depth_known)
            for group in self.groups(batch)
        ]
        loss = torch.stack(losses).mean()
        self.minimise(loss, self.optimiser)
        return {"loss": loss.item()}

    def score(self, images: Tensor) -> Tensor:
        """Return the mean of the predicted depth map; higher = more live, not a probability."""
        depth: Tensor = self.depth(self.encoder(images).concat)
        return depth.mean(dim=(1, 2, 3))
