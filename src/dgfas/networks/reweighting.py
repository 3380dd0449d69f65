"""DRDG's two reweighting modules: one weight a sample, one weight a channel of each sample."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.encoder import initialise, scaled


class SampleReweighting(nn.Module):
    """SRM: how little the domain shows in a sample, in (0, 1) (DRDG eq. 1). One module a class; training only."""

    def __init__(self, channels: int, width: float) -> None:
        super().__init__()
        hidden = scaled(128, width)
        self.body = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        initialise(self)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Return W of each sample."""
        weight: Tensor = torch.sigmoid(self.body(features.mean(dim=(2, 3)))).squeeze(1)
        return weight


class FeatureReweighting(nn.Module):
    """FRM: amplify the channels of each sample that do not depend on the domain (DRDG eq. 3)."""

    def __init__(self, channels: int, mean_one: bool = True) -> None:
        """With `mean_one` the softmax is multiplied by the number of channels: uniform weights change nothing."""
        super().__init__()
        hidden = max(8, channels // 16)
        self.scale = channels if mean_one else 1
        self.body = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        initialise(self)

    def weights(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        """Return A of each sample, positive, with the sum `channels` (`mean_one`) or 1."""
        logits: Tensor = self.body(features.mean(dim=(2, 3)))
        return self.scale * logits.softmax(dim=1)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the reweighted features, A ⊗ F."""
        return self.weights(features)[:, :, None, None] * features
