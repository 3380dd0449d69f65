"""The inner loop of meta-learning, in this one place."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

Order = Literal["second", "first"]


def adapt(
    module: nn.Module,
    loss: Tensor,
    step_size: float,
    order: Order = "second",
    names: Iterable[str] | None = None,
    start: Mapping[str, Tensor] | None = None,
    attached: bool = True,
) -> dict[str, Tensor]:
    """Return the parameters of `module` after one gradient step on `loss`, attached to the graph.

    theta' = theta - step_size * d loss / d theta (RFM Algorithm 1, line 6). With order "second" the gradient keeps its
    own graph, so that a loss of theta' is differentiated through it; with "first" the gradient is a constant.
    `names` restricts the step to some parameters; only these are returned. `start` holds the parameters that `loss` was
    computed with where an earlier step changed them, so that several steps follow each other. With `attached` off,
    theta' starts from a constant: a loss of theta' then reaches theta through the gradient alone (ANRL released code).
    """
    chosen = {**dict(module.named_parameters()), **(start or {})}
    if names is not None:
        chosen = {name: chosen[name] for name in names}
    gradients = torch.autograd.grad(
        loss, list(chosen.values()), create_graph=order == "second", retain_graph=True, allow_unused=True
    )
    origins = {name: parameter if attached else parameter.detach() for name, parameter in chosen.items()}
    return {
        name: origin if gradient is None else origin - step_size * gradient
        for (name, origin), gradient in zip(origins.items(), gradients, strict=True)
    }


def forward_with(
    module: nn.Module, parameters: Mapping[str, Tensor], *inputs: Any, keep_statistics: bool = False
) -> Any:
    """Run `module` with other parameters; batch statistics apply, and what it would write to its buffers is lost.

    With `keep_statistics` the running statistics do take the batch up, as in an ordinary forward.
    """
    if keep_statistics:
        return functional_call(module, dict(parameters), inputs)
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    return functional_call(module, {**buffers, **parameters}, inputs)
