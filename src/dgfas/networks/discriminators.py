"""Networks that tell domains, or real from generated features, apart."""

from torch import nn


class EmbeddingDiscriminator(nn.Sequential):
    """SSDG's domain discriminator: `(b, channels)` to `(b, n_domains)` logits; 264,195 parameters for 512 and 3."""

    def __init__(self, channels: int, n_domains: int) -> None:
        super().__init__(nn.Linear(channels, channels), nn.ReLU(), nn.Dropout(0.5), nn.Linear(channels, n_domains))
