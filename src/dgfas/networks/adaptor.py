"""A small module between encoder and heads that can be adapted to a domain."""

from torch import nn

from dgfas.networks.encoder import Features


class ResidualAdaptor(nn.Module):
    """Adds a 1x1 convolution of the encoder's features to them: all three stages' channels mix, place by place."""

    def __init__(self, concat_channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(concat_channels, concat_channels, 1)
        nn.init.orthogonal_(self.convolution.weight)

    def forward(self, features: Features) -> Features:
        """Return adapted features of the same shapes; `last` stays the last channels of `concat`."""
        concat = features.concat + self.convolution(features.concat)
        return Features(concat[:, -features.last.shape[1] :], concat)
