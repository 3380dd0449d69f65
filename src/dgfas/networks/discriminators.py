"""Networks that tell domains, or real from generated features, apart."""

from torch import nn

from dgfas.networks.encoder import initialise, scaled


class EmbeddingDiscriminator(nn.Sequential):
    """SSDG's domain discriminator: `(b, channels)` to `(b, n_domains)` logits; 264,195 parameters for 512 and 3."""

    def __init__(self, channels: int, n_domains: int) -> None:
        super().__init__(nn.Linear(channels, channels), nn.ReLU(), nn.Dropout(0.5), nn.Linear(channels, n_domains))


class PatchCritic(nn.Sequential):
    """MADDG's discriminator: a feature map `(b, channels, side, side)` to `(b, 1, 3, 3)` scores of its patches.

    At the papers' 32x32 three convolutions halve the map to 4x4; 2,893,568 parameters for 128 channels at full width.
    A smaller map is halved while it is larger than 4x4 and kept by 3x3 convolutions from then on.
    """

    def __init__(self, channels: int, side: int, width: float) -> None:
        layers: list[nn.Module] = []
        for outputs in (scaled(128, width), scaled(256, width), scaled(512, width)):
            kernel, stride = (4, 2) if side > 4 else (3, 1)
            layers += [
                nn.Conv2d(channels, outputs, kernel, stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.2),
            ]
            channels, side = outputs, side // stride
        super().__init__(*layers, nn.Conv2d(channels, 1, 4, padding=1, bias=False))


class PooledDiscriminator(nn.Sequential):
    """DRDG's domain discriminator: a feature map `(b, channels, side, side)`, averaged, to `(b, n_domains)` logits."""

    def __init__(self, channels: int, n_domains: int, width: float) -> None:
        hidden = scaled(128, width)
        super().__init__(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, n_domains)
        )
        initialise(self)


class CodeCritic(nn.Sequential):
    """MMD-AAE's critic of codes: `(b, channels)` to `(b, 1)` logits of having been drawn from the prior."""

    def __init__(self, channels: int) -> None:
        super().__init__(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, 1))
