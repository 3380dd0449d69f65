"""PDL-FAS: Domain Generalization with Pseudo-Domain Label for Face Anti-Spoofing (section 3.3).

The fine-grained meta-learning of RFM across pseudo-domains. Naming the domains (section 3.2) is the provider
domains/pdl.py.
"""

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import Order, adapt, forward_with
from dgfas.networks.encoder import Encoder, Features
from dgfas.networks.heads import DepthEstimator, MetaLearner


class PDLFASOptions(MethodOptions):
    """`learning_rate` is beta of the paper, `inner_step_size` alpha."""

    inner_step_size: NonNegativeFloat
    depth_weight: float
    order: Order
    bn_momentum: float


class PDLFAS(Method):
    """Meta-learn the classifier across as many domains as one likes, found by their style."""

    Options = PDLFASOptions
    least_domains = 2

    def __init__(self, options: PDLFASOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        self.meta_learner = MetaLearner(self.encoder.last_channels, width, options.bn_momentum)
        self.depth = DepthEstimator(self.encoder.concat_channels, width)
        self.optimiser = self.adam("all", [self.encoder, self.meta_learner, self.depth], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        """Do one meta-optimisation; eq. 8 and 9 are the gradients of one sum."""
        meta_train, meta_test = self.losses(batch)
        self.minimise(meta_train + meta_test, self.optimiser)
        return {"meta_train_loss": meta_train.item(), "meta_test_loss": meta_test.item()}

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the sums over domains of the meta-train losses (eq. 4, 5) and of the meta-test losses (eq. 6, 7)."""
        domains = list(zip(self.encode(self.encoder, batch), batch.by_domain(), strict=True))
        order = self.shared_rng("meta split").permutation(len(domains))
        test_features, test = domains[order[-1]]
        meta_train = torch.zeros((), device=batch.images.device)
        meta_test = self.depth_loss(test_features, test)
        for k in order[:-1]:
            features, train = domains[k]
            classification = binary_cross_entropy(self.meta_learner(features.last), train.live)
            adapted = adapt(self.meta_learner, classification, self.options.inner_step_size, self.options.order)
            meta_train = meta_train + classification + self.depth_loss(features, train)
            adapted_logit = forward_with(self.meta_learner, adapted, test_features.last)
            meta_test = meta_test + binary_cross_entropy(adapted_logit, test.live)
        return meta_train, meta_test

    def depth_loss(self, features: Features, batch: Batch) -> Tensor:
        """Eq. 5 and 7, weighted."""
        error = depth_error(self.depth(features.concat), batch.depth, batch.depth_known)
        return self.options.depth_weight * error

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.meta_learner(self.encoder(images).last))
