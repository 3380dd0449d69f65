"""ANRL's inter-class separable loss: live samples together, live and spoof apart; spoofs are not gathered."""

from jaxtyping import Float
from torch import Tensor

from dgfas.losses.squared_distance import ChannelReduction, squared_distance


def inter_class_separable(
    features: Float[Tensor, "b c"],
    live: Float[Tensor, " b"],
    live_centre: Float[Tensor, " c"],
    spoof_centre: Float[Tensor, " c"],
    channels: ChannelReduction = "mean",
) -> Float[Tensor, ""]:
    """Return D_rr - D_rf - D_fr. ANRL eq. 9-11.

    D_rr, D_rf: mean squared distance of the live samples from the live and from the spoof centre; D_fr: that of the
    spoof samples from the live centre. `live (B,)` 1 or 0, both present; centres without gradient. Unbounded below.
    """
    live_features, spoof_features = features[live > 0.5], features[live < 0.5]
    live_to_live = squared_distance(live_features, live_centre, channels).mean()  # D_rr, eq. 9
    live_to_spoof = squared_distance(live_features, spoof_centre, channels).mean()  # D_rf, eq. 10
    spoof_to_live = squared_distance(spoof_features, live_centre, channels).mean()  # D_fr
    return live_to_live - live_to_spoof - spoof_to_live
