"""What turns an encoder's feature map into one vector a frame (MADDG, SSDG)."""

from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.heads import MetaLearner


class PooledConvolutions(nn.Sequential):
    """The classifier's three convolutions and global pooling: a map `(b, in_channels, s, s)` to `(b, out_channels)`."""

    def __init__(self, in_channels: int, width: float) -> None:
        learner = MetaLearner(in_channels, width)
        super().__init__(*learner.body)
        self.out_channels = learner.output.in_features


class Bottleneck(nn.Module):
    """SSDG's embedder: a pooled body, then a linear layer, ReLU and dropout of one half."""

    def __init__(self, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = body
        self.bottleneck = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, features: Float[Tensor, "b c s s"]) -> Float[Tensor, "b e"]:
        """Return a vector a frame, not below 0 and not normalised."""
        embedding: Tensor = self.bottleneck(self.body(features))
        return embedding
