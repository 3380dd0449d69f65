"""What a domain discriminator believes of the true domains, weighted sample by sample (DRDG)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def domain_cross_entropy(logits: Float[Tensor, "b k"], domain: Int[Tensor, " b"]) -> Float[Tensor, ""]:
    """Return L_Dis = -mean(log D(true domain)), which the discriminator minimises. DRDG Algorithm 1, line 9."""
    return F.cross_entropy(logits, domain)


def domain_log_likelihood(
    logits: Float[Tensor, "b k"], domain: Int[Tensor, " b"], floor: float | None = None
) -> Float[Tensor, " b"]:
    """Return d_i log D of each sample: the log-probability of its true domain, not below log(`floor`) where given.

    Below the floor there is no gradient: whoever minimises it stops there.
    """
    value = -F.cross_entropy(logits, domain, reduction="none")
    return value if floor is None else value.clamp(min=math.log(floor))


def weighted_domain_likelihood(log_likelihood: Float[Tensor, " b"], weight: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    """Return mean(weight * log-likelihood): minimised, it fools the discriminator. Not above 0.

    DRDG eq. 2 (weight W) and eq. 4 (weight 1 - W); also -W L_Dis of Algorithm 1, line 20.
    """
    return torch.mean(weight * log_likelihood)
