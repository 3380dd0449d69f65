"""A critic and the features that are to fool it: gradient reversal, least squares, logistic."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


class _GradientReversal(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, strength: float) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.strength = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None


def reverse_gradient(x: Float[Tensor, "..."], strength: float) -> Float[Tensor, "..."]:
    """Return `x`; its gradient is multiplied by -`strength` (Ganin and Lempitsky 2015).

    A critic behind it descends on a loss that what lies before it climbs.
    """
    reversed_: Tensor = _GradientReversal.apply(x, strength)
    return reversed_


def reversal_strength(progress: float, steepness: float = 10.0) -> float:
    """Return 2 / (1 + exp(-steepness * progress)) - 1: from 0 at `progress` 0 to nearly 1 at 1 (Ganin et al. 2016)."""
    return 2 / (1 + math.exp(-steepness * progress)) - 1


def least_squares(critic_score: Float[Tensor, "..."], target: float) -> Float[Tensor, ""]:
    """Return mean((score - target)^2): LSGAN (Mao et al. 2017), `target` 1 for real and 0 for generated."""
    return (critic_score - target).square().mean()


def logistic_critic(real_logit: Float[Tensor, "..."], generated_logit: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Return -mean log D(real) - mean log(1 - D(generated)), D = sigmoid(logit), which a critic minimises.

    Goodfellow et al. 2014, eq. 1.
    """
    return F.softplus(-real_logit).mean() + F.softplus(generated_logit).mean()


def logistic_generator(generated_logit: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Return -mean log D(generated), which the generator minimises: the form that does not saturate.

    Goodfellow et al. 2014, section 3.
    """
    return F.softplus(-generated_logit).mean()
