"""Binary CNN: the shared encoder and classifier trained by cross-entropy, the plain baseline of every table.

After Yang, Lei and Li, "Learn convolutional neural network for face anti-spoofing" (2014), on the papers' encoder.
"""

import torch
from torch import Tensor

from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import MetaLearner


class BinaryCNN(Method):
    """Empirical risk minimisation on live or spoof."""

    Options = MethodOptions

    def __init__(self, options: MethodOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.encoder = Encoder(setup.network)
        self.classifier = MetaLearner(self.encoder.last_channels, setup.network.width)
        self.optimiser = self.adam("all", [self.encoder, self.classifier], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        groups = self.groups(batch)
        losses = [binary_cross_entropy(self.logit(group.images), group.live) for group in groups]
        loss = torch.stack(losses).mean()
        self.minimise(loss, self.optimiser)
        return {"loss": loss.item()}

    def logit(self, images: Tensor) -> Tensor:
        logit: Tensor = self.classifier(self.encoder(images).last)
        return logit

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.logit(images))
