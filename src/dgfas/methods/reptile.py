"""Reptile: a first-order meta-learning algorithm (Nichol, Achiam and Schulman 2018), as a baseline.

RFM table 2 quotes it without describing how it was run; docs/methods/reptile.md says what was decided here.
"""

import torch
from pydantic import PositiveFloat
from torch import Tensor

from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import adapt, forward_with
from dgfas.networks.frame_classifier import FrameClassifier


class ReptileOptions(MethodOptions):
    """`learning_rate` is the step size of the inner gradient descent, `epsilon` the share of its way that is kept."""

    epsilon: PositiveFloat


class Reptile(Method):
    """Walk through the sources one gradient step each, and go part of that way."""

    Options = ReptileOptions
    adapts_encoder = True

    def __init__(self, options: ReptileOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        self.network = FrameClassifier(setup.network)

    def update(self, batch: Batch) -> dict[str, float]:
        """theta <- theta + epsilon (theta_inner - theta), averaged over the processes."""
        adapted, losses = self.inner_walk(batch)
        displacement = {name: adapted[name] - parameter.detach() for name, parameter in self.network.named_parameters()}
        self.average(list(displacement.values()))
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.add_(displacement[name], alpha=self.options.epsilon)
        length = torch.stack([way.square().sum() for way in displacement.values()]).sum().sqrt()
        return {"loss": sum(losses) / len(losses), "displacement": length.item()}

    def inner_walk(self, batch: Batch) -> tuple[dict[str, Tensor], list[float]]:
        """Return the parameters after one step for each source, in random order, and the loss before each step.

        The first source's batch statistics enter the running ones, so over the run every source's do.
        """
        domains = batch.by_domain()
        parameters: dict[str, Tensor] = dict(self.network.named_parameters())
        losses = []
        for position, k in enumerate(self.shared_rng("order of sources").permutation(len(domains))):
            images = domains[k].images
            logit = self.network(images) if position == 0 else forward_with(self.network, parameters, images)
            loss = binary_cross_entropy(logit, domains[k].live)
            self.require_finite(loss)
            stepped = adapt(self.network, loss, self.options.learning_rate, "first", start=parameters)
            parameters = {name: value.detach().requires_grad_() for name, value in stepped.items()}
            losses.append(loss.item())
        return {name: value.detach() for name, value in parameters.items()}, losses

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))
