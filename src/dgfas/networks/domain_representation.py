"""D2AM's domain representation learning module, and the statistics that describe a domain."""

from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.encoder import initialise

#: Added to the variance, as instance normalisation does.
EPSILON = 1e-5
#: The squeeze keeps at least this many units: of two, both are often dead from the start (ReLU), and a is 1/2 for ever.
LEAST_SQUEEZED = 8


def channel_moments(features: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b c"], Float[Tensor, "b c"]]:
    """Return mean and population variance of each frame's channels over space (torch.var_mean is ten times slower)."""
    pixels = features.flatten(2)
    mean = pixels.mean(dim=2)
    return mean, (pixels - mean[:, :, None]).square().mean(dim=2)


def channel_statistics(features: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b c"], Float[Tensor, "b c"]]:
    """Return mean and standard deviation of each frame's channels over space (D2AM eq. 2 and 3).

    They are what instance normalisation (eq. 1) takes out: population variance, epsilon under the root.
    """
    mean, variance = channel_moments(features)
    return mean, (variance + EPSILON).sqrt()


class DomainRepresentation(nn.Module):
    """DRLM: attention that tells channels of the task (high) from channels of the domain (low).

    `reduction` is tau: the squeeze has channels / tau units, at least 8. The probe W_p asks whether live and spoof can
    still be told apart in the domain channels.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        squeezed = max(LEAST_SQUEEZED, channels // reduction)
        self.squeeze = nn.Linear(channels, squeezed, bias=False)  # W_1
        self.excite = nn.Linear(squeezed, channels, bias=False)  # W_2
        self.probe = nn.Linear(channels, 1, bias=False)  # W_p
        initialise(self)

    def attention(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        """Return a = sigmoid(W_2 ReLU(W_1 pool(F))) (eq. 4)."""
        pooled = features.mean(dim=(2, 3))
        weights: Tensor = self.excite(self.squeeze(pooled).relu()).sigmoid()
        return weights

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the task features F+ = a F (eq. 5), which flow on."""
        return self.attention(features)[:, :, None, None] * features

    def domain_features(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the domain features F- = (1 - a) F (eq. 6)."""
        return (1 - self.attention(features))[:, :, None, None] * features

    def pooled_domain_features(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        """Return pool(F-)."""
        return (1 - self.attention(features)) * features.mean(dim=(2, 3))
