"""The heads on the encoder: the classifier (RFM's meta learner), D2AM's form of it, and the depth estimator."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.encoder import conv_block, initialise, scaled


class MetaLearner(nn.Module):
    """RFM's meta learner M: three convolutions, global average pooling, one logit; 1,625,217 parameters at full width.

    `in_channels` are the channels of the features it reads (RFM: the last stage's 128; ANRL: the 384 of all three).
    """

    def __init__(self, in_channels: int, width: float, bn_momentum: float = 0.1) -> None:
        super().__init__()
        first, second, third = (scaled(channels, width) for channels in (128, 256, 512))
        self.body = nn.Sequential(
            conv_block(in_channels, first),
            nn.MaxPool2d(2),
            conv_block(first, second),
            nn.MaxPool2d(2),
            conv_block(second, third),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.output = nn.Linear(third, 1)
        initialise(self)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = bn_momentum

    def forward(self, features: Float[Tensor, "b c s s"]) -> Float[Tensor, " b"]:
        """Return the logit of P(live) of each frame."""
        logit: Tensor = self.output(self.body(features)).squeeze(1)
        return logit


class Adaptation(NamedTuple):
    """What `AdaptationLearner` returns: `logit (B,)` of P(live), `features (B, 512w)` of its adaptation layer."""

    logit: Float[Tensor, " b"]
    features: Float[Tensor, "b c"]


class AdaptationLearner(nn.Module):
    """D2AM's meta learner: RFM's with a linear layer before the output, the adaptation layer.

    Without a ReLU behind it, so that its features can follow a normal distribution.
    """

    def __init__(self, in_channels: int, width: float, bn_momentum: float = 0.1) -> None:
        super().__init__()
        learner = MetaLearner(in_channels, width, bn_momentum)
        self.body, self.output = learner.body, learner.output
        channels = learner.output.in_features
        self.adaptation = nn.Linear(channels, channels)
        nn.init.xavier_normal_(self.adaptation.weight)

    def forward(self, features: Float[Tensor, "b c s s"]) -> Adaptation:
        """Return logits and the adaptation layer's features."""
        adapted = self.adaptation(self.body(features))
        return Adaptation(self.output(adapted).squeeze(1), adapted)


class DepthEstimator(nn.Module):
    """RFM's depth estimator D: three convolutions, a ReLU behind the last too; 517,251 parameters at full width."""

    def __init__(self, in_channels: int, width: float) -> None:
        super().__init__()
        self.in_channels = in_channels
        first, second = (scaled(channels, width) for channels in (128, 64))
        self.body = nn.Sequential(conv_block(in_channels, first), conv_block(first, second), conv_block(second, 1))
        initialise(self)

    def forward(self, features: Float[Tensor, "b c s s"]) -> Float[Tensor, "b 1 s s"]:
        """Return a depth map, not below 0; 1 = nearest, 0 = background or flat."""
        depth: Tensor = self.body(features)
        return depth
