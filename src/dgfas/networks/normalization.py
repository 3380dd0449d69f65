"""The encoder's normalisation layers, by name; each takes `(B, C, H, W)` and returns the same shape."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from dgfas.core.errors import UserError, nearest


class HalfNorm(nn.Module):
    """The mean of batch and instance normalisation, each with its own affine map (ANRL table 4, "IN-BN-half")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.batch = nn.BatchNorm2d(channels)
        self.instance = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        half: Tensor = 0.5 * self.batch(x) + 0.5 * self.instance(x)
        return half


class BatchInstanceNorm(nn.Module):
    """BIN: one gate a channel, shared by all samples, between batch (1) and instance (0) normalisation.

    Nam and Kim, NeurIPS 2018: y = (rho BN(x) + (1 - rho) IN(x)) gamma + beta, rho clipped to [0, 1] after each step.
    The gate starts at .5, where ANRL starts its own.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.batch = nn.BatchNorm2d(channels, affine=False)
        self.instance = nn.InstanceNorm2d(channels)
        self.gate = nn.Parameter(torch.full((channels,), 0.5))
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if self.training:
            # The clipping that follows a step. Through `.data`, as autograd may hold the gate of an earlier forward.
            self.gate.data.clamp_(0, 1)
        gate, weight, bias = (p[:, None, None] for p in (self.gate.clamp(0, 1), self.weight, self.bias))
        mixed: Tensor = gate * self.batch(x) + (1 - gate) * self.instance(x)
        return mixed * weight + bias


class IBN(nn.Module):
    """IBN-a: instance normalisation for the first half of the channels, batch normalisation for the others.

    Pan, Luo, Shi and Tang, ECCV 2018.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instance_channels = channels // 2
        self.instance = nn.InstanceNorm2d(self.instance_channels, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.instance_channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        first, second = x.tensor_split([self.instance_channels], dim=1)
        return torch.cat([self.instance(first), self.batch(second)], dim=1)


class BalanceFactor(nn.Module):
    """alpha of each sample and channel, in [0, 1] (ANRL eq. 1-4): what ANRL's meta-learning adapts, its theta_F.

    The bottleneck has d = C // 16 + 1 channels (the paper leaves d open), but not fewer than 8: were all its ReLUs off
    for every sample, alpha would stay at .5. W_B and W_I start at zero, so that alpha starts at .5 (ANRL section 5.2).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        bottleneck = max(8, channels // 16 + 1)
        self.squeeze = nn.Parameter(torch.empty(bottleneck, channels))  # W
        self.batch_head = nn.Parameter(torch.zeros(channels, bottleneck))  # W_B
        self.instance_head = nn.Parameter(torch.zeros(channels, bottleneck))  # W_I
        nn.init.xavier_normal_(self.squeeze)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        pooled = x.mean(dim=(2, 3))  # S, eq. 1
        compact = torch.relu(pooled @ self.squeeze.T)  # Z, eq. 2
        batch = torch.sigmoid(compact @ self.batch_head.T)  # B, eq. 3
        instance = torch.sigmoid(compact @ self.instance_head.T)  # I, eq. 3
        return batch / (batch + instance)  # eq. 4


class OneLayerBalanceFactor(nn.Module):
    """alpha as ANRL's released code has it: sigmoid(linear(mean over pixels)), started at random around .5."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        bound = channels**-0.5
        self.weight = nn.Parameter(torch.empty(channels, channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        return torch.sigmoid(F.linear(x.mean(dim=(2, 3)), self.weight, self.bias))


class AFNM(nn.Module):
    """Adaptive Feature Normalization Module: alpha BN(x) + (1 - alpha) IN(x), alpha of each sample (ANRL eq. 1-5).

    Batch and instance normalisation each have their own affine map; they belong to ANRL's theta_base.
    """

    def __init__(self, channels: int, balance: Callable[[int], nn.Module] = BalanceFactor) -> None:
        super().__init__()
        self.batch = nn.BatchNorm2d(channels)
        self.instance = nn.InstanceNorm2d(channels, affine=True)
        self.balance = balance(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        alpha: Tensor = self.balance(x)[:, :, None, None]
        fused: Tensor = alpha * self.batch(x) + (1 - alpha) * self.instance(x)  # eq. 5
        return fused


#: name -> a layer for a number of channels
NORMALIZATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "half": HalfNorm,
    "bin": BatchInstanceNorm,
    "ibn": IBN,
    "afnm": AFNM,
    "afnm_1layer": lambda channels: AFNM(channels, OneLayerBalanceFactor),
}


def normalization(name: str, key: str = "network.normalization") -> Callable[[int], nn.Module]:
    """Return the maker of normalisation layer `name`. Raises UserError naming `key` and the nearest valid names."""
    if name not in NORMALIZATIONS:
        raise UserError(f"{key}: unknown normalisation {name!r}; {nearest(name, NORMALIZATIONS)}")
    return NORMALIZATIONS[name]


def meta_parameter_names(network: nn.Module) -> list[str]:
    """Return the names of theta_F, what ANRL meta-learns in an encoder.

    The balance factors of AFNM; where there is none, all parameters of the normalisation layers (affine maps, BIN's
    gates), which is what the normalisations of ANRL table 4 have.
    """
    balance_factors = {f"{path}.balance" for path, module in network.named_modules() if isinstance(module, AFNM)}
    owners = balance_factors or {
        path for path, module in network.named_modules() if not isinstance(module, nn.Conv2d | nn.Linear)
    }
    return [name for name, _ in network.named_parameters() if name.rpartition(".")[0] in owners]


@contextmanager
def recorded_balance_factors(network: nn.Module) -> Iterator[list[list[Tensor]]]:
    """Collect alpha `(B, C)`, detached, of every forward inside the block: one list a layer, from input to output."""
    layers = [module for module in network.modules() if isinstance(module, AFNM)]
    recorded: list[list[Tensor]] = [[] for _ in layers]
    hooks = [
        layer.balance.register_forward_hook(lambda _module, _inputs, alpha, kept=kept: kept.append(alpha.detach()))
        for layer, kept in zip(layers, recorded, strict=True)
    ]
    try:
        yield recorded
    finally:
        for hook in hooks:
            hook.remove()
