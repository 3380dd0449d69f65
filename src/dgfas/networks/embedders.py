"""What turns an encoder's feature map into one vector a frame (MADDG, SSDG)."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.encoder import scaled
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


class Embedding(NamedTuple):
    """What `LiveEmbedder` returns: `vector (B, 512w)`, not normalised, and `logit (B,)` of P(live)."""

    vector: Float[Tensor, "b e"]
    logit: Float[Tensor, " b"]


class LiveEmbedder(nn.Module):
    """MADDG's embedder with its classifier: the pooled convolutions, then 512 to 128 to 1."""

    def __init__(self, in_channels: int, width: float) -> None:
        super().__init__()
        self.body = PooledConvolutions(in_channels, width)
        hidden = scaled(128, width)
        self.head = nn.Sequential(
            nn.Linear(self.body.out_channels, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, features: Float[Tensor, "b c s s"]) -> Embedding:
        """Return each frame's vector and logit."""
        vector = self.body(features)
        return Embedding(vector, self.head(vector).squeeze(1))
