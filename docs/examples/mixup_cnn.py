"""Mixup (Zhang et al., ICLR 2018) on the shared encoder: train on blends of two frames and of their labels."""

import torch
from torch import Tensor

from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import MetaLearner


class MixupOptions(MethodOptions):
    alpha: float


class MixupCNN(Method):
    Options = MixupOptions

    def __init__(self, options: MixupOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.blend = torch.distributions.Beta(options.alpha, options.alpha)
        self.encoder = Encoder(setup.network)
        self.classifier = MetaLearner(self.encoder.last_channels, setup.network.width)
        self.optimiser = self.adam("all", [self.encoder, self.classifier], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        share, other = self.blend.sample().to(batch.images), torch.randperm(len(batch.live))
        images = share * batch.images + (1 - share) * batch.images[other]
        live = share * batch.live + (1 - share) * batch.live[other]
        loss = binary_cross_entropy(self.classifier(self.encoder(images).last), live)
        self.minimise(loss, self.optimiser)
        return {"loss": loss.item()}

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.classifier(self.encoder(images).last))
