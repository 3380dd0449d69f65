"""MLDG: meta-learning for domain generalisation (Li, Yang, Song and Hospedales, AAAI 2018), as a baseline.

RFM table 2 quotes it without describing how it was run; docs/methods/mldg.md says what was decided here.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from dgfas.data.batches import Batch, join
from dgfas.losses.classification import binary_cross_entropy
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import Order, adapt, forward_with
from dgfas.networks.frame_classifier import FrameClassifier


class MLDGOptions(MethodOptions):
    """`inner_step_size` is alpha of the paper, `meta_test_weight` beta, `learning_rate` gamma."""

    inner_step_size: NonNegativeFloat
    meta_test_weight: NonNegativeFloat
    meta_test_domains: PositiveInt
    inner: Literal["everything", "classifier"]
    order: Order


class MLDG(Method):
    """Prefer steps on some sources that also lower the loss on the others."""

    Options = MLDGOptions
    least_domains = 2

    def __init__(self, options: MLDGOptions, setup: Setup) -> None:
        self.least_domains = options.meta_test_domains + 1  # type: ignore[misc]
        self.adapts_encoder = options.inner == "everything"  # type: ignore[misc]
        super().__init__(options, setup)
        self.options = options
        self.network = FrameClassifier(setup.network)
        self.adapted_names = [
            name
            for name, _ in self.network.named_parameters()
            if options.inner == "everything" or name.startswith("classifier.")
        ]
        self.optimiser = self.adam("all", [self.network], options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        """Minimise F(theta) + beta G(theta - alpha F'(theta)): PDL-FAS eq. 1, the paper's Algorithm 1."""
        meta_train, meta_test = self.losses(batch)
        self.minimise(meta_train + self.options.meta_test_weight * meta_test, self.optimiser)
        return {"meta_train_loss": meta_train.item(), "meta_test_loss": meta_test.item()}

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return F on a random part of the sources and, after one step on it, G on the others."""
        domains = batch.by_domain()
        order = self.shared_rng("meta split").permutation(len(domains))
        held_out = self.options.meta_test_domains
        train = join([domains[k] for k in order[held_out:]])
        test = join([domains[k] for k in order[:held_out]])

        meta_train = self.classification(train, {})
        adapted = adapt(self.network, meta_train, self.options.inner_step_size, self.options.order, self.adapted_names)
        return meta_train, self.classification(test, adapted)

    def classification(self, batch: Batch, parameters: Mapping[str, Tensor]) -> Tensor:
        """Return the cross-entropy of all frames, under other parameters where given."""
        groups = self.groups(batch)
        logits = [
            forward_with(self.network, parameters, group.images) if parameters else self.network(group.images)
            for group in groups
        ]
        return torch.stack(
            [binary_cross_entropy(logit, group.live) for logit, group in zip(logits, groups, strict=True)]
        ).mean()

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))
