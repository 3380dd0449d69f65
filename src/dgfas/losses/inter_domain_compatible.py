"""ANRL's inter-domain compatible loss: pull samples to the other domains' centres, push them from their own."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dgfas.losses.squared_distance import ChannelReduction, squared_distance


def intra_domain_distance(
    features: Float[Tensor, "n c"], centre: Float[Tensor, " c"], channels: ChannelReduction = "mean"
) -> Float[Tensor, ""]:
    """Return the mean squared distance of one domain's samples from that domain's centre. ANRL eq. 6."""
    return squared_distance(features, centre, channels).mean()


def inter_domain_distance(
    features: Float[Tensor, "n c"], other_centres: Float[Tensor, "k c"], channels: ChannelReduction = "mean"
) -> Float[Tensor, ""]:
    """Return the mean squared distance of one domain's samples from the centres of the others. ANRL eq. 7."""
    return torch.stack([squared_distance(features, centre, channels).mean() for centre in other_centres]).mean()


def inter_domain_compatible(
    features: Float[Tensor, "b c"],
    domain: Int[Tensor, " b"],
    centres: Float[Tensor, "d c"],
    channels: ChannelReduction = "mean",
) -> Float[Tensor, ""]:
    """Return the sum over the domains present of inter-domain minus intra-domain distance. ANRL eq. 8.

    `domain (B,)` in 0..D-1, `centres (D, C)` of all domains, present or not, without gradient. The squares of the
    features cancel: the loss is linear in them and unbounded below. Raises ValueError for fewer than two centres.
    """
    if len(centres) < 2:
        raise ValueError("the inter-domain compatible loss needs the centres of at least two domains")
    every = torch.arange(len(centres), device=domain.device)
    return torch.stack(
        [
            inter_domain_distance(features[domain == k], centres[every != k], channels)
            - intra_domain_distance(features[domain == k], centres[k], channels)
            for k in domain.unique().tolist()
        ]
    ).sum()
