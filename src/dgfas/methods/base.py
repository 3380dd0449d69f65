"""What every learned method is: networks, optimisers and state, `update(batch)` and `score(images)`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import PositiveFloat
from torch import Tensor, nn
from torch.optim import Optimizer

from dgfas.core.config import NetworkConfig, Strict
from dgfas.core.errors import UserError
from dgfas.core.seeding import stable_rng
from dgfas.data.batches import Batch
from dgfas.networks.encoder import Encoder, Features


class MethodOptions(Strict):
    """The options of a method; each method adds its own fields, and its YAML gives every value and its source."""

    learning_rate: PositiveFloat


@dataclass(frozen=True)
class Setup:
    """What a method is told about the run that it is part of."""

    network: NetworkConfig
    n_domains: int  # source domains, given or found
    iterations: int  # length of the run, for schedules
    bn_batches: Literal["per_domain", "mixed"] = "per_domain"
    seed: int = 0


class NonFiniteLossError(UserError):
    """The loss is NaN or infinite; nothing was stepped."""


class Method(nn.Module, ABC):
    """A way of training and scoring. Its parameters, buffers and optimisers are its whole state.

    Raises UserError for fewer source domains than `least_domains`, or settings that its encoder cannot do.
    """

    Options: ClassVar[type[MethodOptions]] = MethodOptions
    #: Whether `score` returns P(live), in [0, 1]. If not, scores are calibrated on source development data.
    score_is_probability: ClassVar[bool] = True
    #: Whether the method adapts to unlabelled images of the target, by `adapt_to`. Every table marks such a method.
    uses_target_images: ClassVar[bool] = False
    #: The smallest number of source domains that the method is defined for.
    least_domains: ClassVar[int] = 1
    #: Whether the encoder runs with adapted parameters, which a recomputation of its activations would not use.
    adapts_encoder: ClassVar[bool] = False

    def __init__(self, options: MethodOptions, setup: Setup) -> None:
        super().__init__()
        if setup.n_domains < self.least_domains:
            raise UserError(
                f"method {type(self).__name__} needs at least {self.least_domains} source domains, "
                f"the data give {setup.n_domains}; add a source"
            )
        if self.adapts_encoder and setup.network.checkpoint_activations:
            raise UserError(
                f"network.checkpoint_activations: method {type(self).__name__} runs its encoder with adapted "
                "parameters, which a recomputation would not use; set it to false"
            )
        self.setup = setup
        self.optimisers: dict[str, Optimizer] = {}
        self.iteration = 0  # set by the training loop before each update, as is:
        self.batch_number = 0
        #: Replaces tensors by their mean over all processes; the training loop sets it when there are several.
        self.average: Callable[[list[Tensor]], None] = lambda tensors: None

    @abstractmethod
    def update(self, batch: Batch) -> dict[str, float]:
        """Learn from a batch of all source domains; return what TensorBoard shows."""

    def batches_of(self, iteration: int) -> range:
        """Return the numbers of the batches that an iteration takes: one, if every batch updates the encoder."""
        return range(iteration, iteration + 1)

    @abstractmethod
    def score(self, images: Float[Tensor, "b 6 s s"]) -> Float[Tensor, " b"]:
        """Return P(live) of each frame, or any number, higher = more live, where `score_is_probability` is off."""

    def adapt_to(self, chunks: Iterable[Float[Tensor, "b 6 s s"]]) -> None:
        """Adapt to the unlabelled images of a target, before they are scored. Most methods do nothing."""

    def minimise(self, loss: Float[Tensor, ""], optimiser: Optimizer) -> None:
        """Step `optimiser` on `loss`: its parameters' gradients, averaged across processes. Others are untouched.

        The graph of `loss` is freed. Raises NonFiniteLossError instead of stepping on a NaN or infinite loss.
        """
        self.require_finite(loss)
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self.average([parameter.grad for parameter in parameters if parameter.grad is not None])
        optimiser.step()
        optimiser.zero_grad()

    def require_finite(self, loss: Float[Tensor, ""]) -> None:
        """Raise NonFiniteLossError if the loss is NaN or infinite."""
        if not torch.isfinite(loss):
            raise NonFiniteLossError(
                f"the loss is {loss.item()} at iteration {self.iteration}; the last checkpoint is intact. "
                "Lower options.learning_rate, or look at the losses in TensorBoard"
            )

    def adam(self, name: str, modules: Iterable[nn.Module], learning_rate: float) -> Optimizer:
        """Make and keep an Adam over the parameters of `modules`: betas .9 and .999, no weight decay, as RFM's code."""
        parameters = [parameter for module in modules for parameter in module.parameters()]
        self.optimisers[name] = torch.optim.Adam(parameters, lr=learning_rate)
        return self.optimisers[name]

    def shared_rng(self, purpose: str) -> np.random.Generator:
        """Return random numbers for this iteration that are the same on every process and after a resume."""
        return stable_rng(self.setup.seed, purpose, self.iteration)

    def groups(self, batch: Batch) -> list[Batch]:
        """Return the batches that go through the networks together: one a domain, or all in one (`bn_batches`)."""
        return [batch] if self.setup.bn_batches == "mixed" else batch.by_domain()

    def encode(self, encoder: Encoder, batch: Batch) -> list[Features]:
        """Return each domain's features, from one forward a domain or from one for all (`bn_batches`)."""
        if self.setup.bn_batches == "mixed":
            features: Features = encoder(batch.images)
            return features.chunk(batch.n_domains)
        return [encoder(part.images) for part in batch.by_domain()]
