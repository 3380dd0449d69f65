"""RFM: Regularized Fine-grained Meta Face Anti-spoofing (Shao, Lan and Yuen, AAAI 2020), Algorithm 1."""

from typing import Literal

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from dgfas.data.batches import Batch, join
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import Order, adapt, forward_with
from dgfas.networks.encoder import Encoder, Features
from dgfas.networks.heads import DepthEstimator, MetaLearner


class RFMOptions(MethodOptions):
    """`learning_rate` is beta of the paper, `inner_step_size` alpha."""

    inner_step_size: NonNegativeFloat
    depth_weight: float
    order: Order
    pairing: Literal["fine_grained", "aggregated"]
    meta: bool
    bn_momentum: float


class RFM(Method):
    """Meta-learn the classifier across simulated domain shifts, on features that depth supervision regularises."""

    Options = RFMOptions

    def __init__(self, options: RFMOptions, setup: Setup) -> None:
        self.least_domains = 2 if options.meta else 1  # type: ignore[misc]
        super().__init__(options, setup)
        self.options = options
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        self.meta_learner = MetaLearner(self.encoder.last_channels, width, options.bn_momentum)
        self.depth = DepthEstimator(self.encoder.concat_channels, width)
        self.optimiser = self.adam("all", [self.encoder, self.meta_learner, self.depth], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        """Do lines 2 to 15 of Algorithm 1."""
        meta_train, meta_test = self.losses(batch)
        self.minimise(meta_train + meta_test, self.optimiser)
        return {"meta_train_loss": meta_train.item(), "meta_test_loss": meta_test.item()}

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the sums over domains of the meta-train losses (eq. 1, 2) and of the meta-test losses (eq. 3, 4)."""
        domains = list(zip(self.encode(self.encoder, batch), batch.by_domain(), strict=True))
        if not self.options.meta:
            return torch.stack([self.classification(*d) + self.depth_loss(*d) for d in domains]).sum(), torch.zeros(())

        order = self.shared_rng("meta split").permutation(len(domains))
        meta_train_domains, (test_features, test) = [domains[k] for k in order[:-1]], domains[order[-1]]
        if self.options.pairing == "aggregated":
            meta_train_domains = [aggregate(meta_train_domains)]

        meta_train = torch.zeros((), device=batch.images.device)
        meta_test = self.depth_loss(test_features, test)
        for features, train in meta_train_domains:
            classification = self.classification(features, train)
            adapted = adapt(self.meta_learner, classification, self.options.inner_step_size, self.options.order)
            meta_train = meta_train + classification + self.depth_loss(features, train)
            adapted_logit = forward_with(self.meta_learner, adapted, test_features.last)
            meta_test = meta_test + binary_cross_entropy(adapted_logit, test.live)
        return meta_train, meta_test

    def classification(self, features: Features, batch: Batch) -> Tensor:
        """RFM eq. 1."""
        return binary_cross_entropy(self.meta_learner(features.last), batch.live)

    def depth_loss(self, features: Features, batch: Batch) -> Tensor:
        """RFM eq. 2 and 4, weighted."""
        error = depth_error(self.depth(features.concat), batch.depth, batch.depth_known)
        return self.options.depth_weight * error

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.meta_learner(self.encoder(images).last))


def aggregate(domains: list[tuple[Features, Batch]]) -> tuple[Features, Batch]:
    """Make one domain of several, as vanilla MLDG does (RFM table 3, "Aggregation")."""
    features, batches = zip(*domains, strict=True)
    return Features(*(torch.cat(tensors) for tensors in zip(*features, strict=True))), join(batches)
