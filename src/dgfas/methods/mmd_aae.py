"""MMD-AAE: domain generalisation with adversarial feature learning (Li, Pan, Wang and Kot, CVPR 2018), a baseline.

The papers quote it without describing how they ran it; docs/methods/mmd_aae.md says what was decided here.
"""

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Laplace
from torch.nn import functional as F

from dgfas.core.collapse import CollapseWatch
from dgfas.data.batches import Batch
from dgfas.losses.adversarial import logistic_critic, logistic_generator
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.mmd import squared_mmd
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.discriminators import CodeCritic
from dgfas.networks.embedders import PooledConvolutions
from dgfas.networks.encoder import Encoder

#: The Laplace distribution of variance 1.
PRIOR_SCALE = 1 / sqrt(2)


class MMDAAEOptions(MethodOptions):
    """The weights multiply the terms beside the classification."""

    reconstruction_weight: float
    mmd_weight: float
    adversarial_weight: float


class Coded(NamedTuple):
    """Frames' pooled features `(b, c)`, their code `(b, c)`, and the features rebuilt from it."""

    features: Tensor
    code: Tensor
    rebuilt: Tensor


class MMDAAE(Method):
    """Give all sources' codes one distribution, a Laplace, from which features can be rebuilt and classified."""

    Options = MMDAAEOptions
    least_domains = 2

    def __init__(self, options: MMDAAEOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        self.encoder = Encoder(setup.network)
        self.pooling = PooledConvolutions(self.encoder.last_channels, setup.network.width)
        channels = self.pooling.out_channels
        self.to_code = nn.Linear(channels, channels)  # no ReLU behind it: a code must be able to be negative
        self.from_code = nn.Linear(channels, channels)
        self.classifier = nn.Linear(channels, 1)
        self.critic = CodeCritic(channels)
        self.optimiser = self.adam(
            "all",
            [self.encoder, self.pooling, self.to_code, self.from_code, self.classifier],
            options.learning_rate,
        )
        self.critic_optimiser = self.adam("critic", [self.critic], options.learning_rate)
        self.watch = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        """Train the critic on the codes of this iteration, then everything else against it."""
        parts = [self.coded(group.images) for group in self.groups(batch)]
        coded = Coded(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
        critic = self.critic_step(coded.code.detach())
        return critic | self.main_step(coded, batch)

    def coded(self, images: Tensor) -> Coded:
        features = self.pooling(self.encoder(images).last)
        code = self.to_code(features)
        return Coded(features, code, self.from_code(code))

    def critic_step(self, code: Tensor) -> dict[str, float]:
        """Train the critic to tell draws of the prior (real) from codes."""
        prior = Laplace(code.new_tensor(0.0), code.new_tensor(PRIOR_SCALE)).sample(code.shape)
        real_logit, code_logit = self.critic(prior), self.critic(code)
        loss = logistic_critic(real_logit, code_logit)
        self.minimise(loss, self.critic_optimiser)
        right = 0.5 * ((real_logit > 0).double().mean() + (code_logit < 0).double().mean())
        return {"critic_loss": loss.item(), "critic_accuracy": right.item()}

    def main_step(self, coded: Coded, batch: Batch) -> dict[str, float]:
        """Train all else to classify, to rebuild, to align the sources' codes and to pass for the prior."""
        classification = binary_cross_entropy(self.classifier(coded.code).squeeze(1), batch.live)
        # The features to rebuild are held constant: to shrink them would rebuild them best.
        reconstruction = F.mse_loss(coded.rebuilt, coded.features.detach())
        alignment = mean_pairwise_mmd(coded.code.chunk(batch.n_domains))
        adversarial = logistic_generator(self.critic(coded.code))
        loss = (
            classification
            + self.options.reconstruction_weight * reconstruction
            + self.options.mmd_weight * alignment
            + self.options.adversarial_weight * adversarial
        )
        self.minimise(loss, self.optimiser)
        spread = coded.code.detach().std(dim=0).mean().item()
        self.watch.report_spread("codes", spread, "mmd_aae", self.iteration, "mmd_weight")
        return {
            "loss": loss.item(),
            "classification_loss": classification.item(),
            "reconstruction_loss": reconstruction.item(),
            "mmd": alignment.item(),
            "generator_loss": adversarial.item(),
            "code_spread": spread,
        }

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.classifier(self.coded(images).code).squeeze(1))


def mean_pairwise_mmd(codes: Sequence[Tensor]) -> Tensor:
    """Return the squared MMD averaged over all pairs of domains' codes, by the distances that the prior's draws have.

    Distances relative to the codes' own would let them shrink to a point at no gain: they then do, within 100 steps.
    """
    scale = 2.0 * codes[0].shape[1]  # mean squared distance of two draws of a prior of variance 1
    return torch.stack([squared_mmd(a, b, scale) for a, b in combinations(codes, 2)]).mean()
