"""Encoder and classifier as one module, for the methods whose inner loop moves both."""

from jaxtyping import Float
from torch import Tensor, nn

from dgfas.core.config import NetworkConfig
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import MetaLearner


class FrameClassifier(nn.Module):
    """The shared encoder with the shared classifier behind it."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.classifier = MetaLearner(self.encoder.last_channels, config.width)

    def forward(self, images: Float[Tensor, "b 6 s s"]) -> Float[Tensor, " b"]:
        """Return the logit of P(live) of each frame; images in [0, 1]."""
        logit: Tensor = self.classifier(self.encoder(images).last)
        return logit
