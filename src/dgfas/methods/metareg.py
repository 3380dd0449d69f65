"""MetaReg: meta-regularisation (Balaji, Sankaranarayanan and Chellappa, NeurIPS 2018), as a baseline.

First a regulariser is learnt: it is good if a classifier trained with it on one source does well on another. Then it is
frozen, and a fresh classifier is trained with it on all sources.
"""

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from dgfas.core.collapse import CollapseWatch
from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.weighted_l1 import weighted_l1
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import adapt, forward_with
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import MetaLearner

#: What the regulariser weighs. Convolutions are followed by batch normalisation, which undoes a change of scale.
REGULARISED = "output.weight"


class MetaRegOptions(MethodOptions):
    """`inner_step_size` is alpha of the paper, `inner_steps` l; the first `learn_share` of the run learns phi."""

    inner_step_size: NonNegativeFloat
    inner_steps: PositiveInt
    regulariser_rate_ratio: float
    learn_share: float


class MetaReg(Method):
    """Learn what to shrink so that a classifier of one source serves the others."""

    Options = MetaRegOptions
    least_domains = 2
    final_updates: Tensor

    def __init__(self, options: MetaRegOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        channels = self.encoder.last_channels
        self.source_classifiers = nn.ModuleList(MetaLearner(channels, width) for _ in range(setup.n_domains))
        self.final_classifier = MetaLearner(channels, width)
        weight = self.final_classifier.get_parameter(REGULARISED)
        self.importance = nn.ParameterList([torch.zeros_like(weight)])  # phi
        self.register_buffer("final_updates", torch.zeros((), dtype=torch.int64))

        rate = options.learning_rate
        self.source_optimiser = self.adam("sources", [self.encoder, self.source_classifiers], rate)
        self.regulariser_optimiser = self.adam("regulariser", [self.importance], rate * options.regulariser_rate_ratio)
        self.final_optimiser = self.adam("final", [self.encoder, self.final_classifier], rate)
        self.watch = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        """Learn the regulariser in the first `learn_share` of the run, then use it."""
        if self.iteration >= self.options.learn_share * self.setup.iterations:
            return self.final_step(batch)
        features = [part.last for part in self.encode(self.encoder, batch)]
        regulariser = self.regulariser_step([x.detach() for x in features], batch)
        return regulariser | self.source_step(features, batch)

    def source_step(self, features: list[Tensor], batch: Batch) -> dict[str, float]:
        """Train the encoder on all sources and each source's classifier on its own."""
        losses = [
            binary_cross_entropy(classifier(x), part.live)
            for classifier, x, part in zip(self.source_classifiers, features, batch.by_domain(), strict=True)
        ]
        self.minimise(torch.stack(losses).sum(), self.source_optimiser)
        return {"source_loss": torch.stack(losses).mean().item()}

    def regulariser_step(self, features: list[Tensor], batch: Batch) -> dict[str, float]:
        """Train phi on a random pair of sources: steps on one, the loss on the other."""
        a, b = self.shared_rng("pair of sources").permutation(len(features))[:2].tolist()
        loss = self.transfer_loss(features, batch, a, b)
        self.minimise(loss, self.regulariser_optimiser)
        with torch.no_grad():
            self.importance[0].clamp_(min=0)  # below 0 it would reward growth without bound
        share = (self.importance[0] > 0).double().mean().item()
        return {
            "transfer_loss": loss.item(),
            "importance": self.importance[0].mean().item(),
            "share_regularised": share,
        }

    def transfer_loss(self, features: list[Tensor], batch: Batch, a: int, b: int) -> Tensor:
        """Return source b's loss after l regularised steps of source a's classifier on source a."""
        domains = batch.by_domain()
        classifier = self.source_classifiers[a]
        parameters: dict[str, Tensor] = dict(classifier.named_parameters())
        for _ in range(self.options.inner_steps):
            loss = binary_cross_entropy(forward_with(classifier, parameters, features[a]), domains[a].live)
            loss = loss + weighted_l1(parameters[REGULARISED], self.importance[0])
            parameters = adapt(classifier, loss, self.options.inner_step_size, "second", start=parameters)
        return binary_cross_entropy(forward_with(classifier, parameters, features[b]), domains[b].live)

    def final_step(self, batch: Batch) -> dict[str, float]:
        """Train the encoder and the fresh classifier on all sources with the frozen regulariser."""
        losses = [
            binary_cross_entropy(self.final_classifier(self.encoder(group.images).last), group.live)
            for group in self.groups(batch)
        ]
        classification = torch.stack(losses).mean()
        weight = self.final_classifier.get_parameter(REGULARISED)
        penalty = weighted_l1(weight, self.importance[0].detach())
        self.minimise(classification + penalty, self.final_optimiser)
        self.final_updates += 1
        size = weight.detach().abs().max().item()
        self.watch.report(
            "weights",
            size < 1e-4,
            f"metareg: the regulariser has shrunk the classifier to nothing at iteration {self.iteration} "
            f"(largest weight {size:.1e}); lower options.regulariser_rate_ratio",
        )
        return {"loss": classification.item(), "penalty": penalty.item(), "largest_weight": size}

    def score(self, images: Tensor) -> Tensor:
        """Return P(live) of the final classifier; before its first update, the mean of the sources' classifiers."""
        features = self.encoder(images).last
        if self.final_updates == 0:
            return torch.stack([torch.sigmoid(each(features)) for each in self.source_classifiers]).mean(dim=0)
        return torch.sigmoid(self.final_classifier(features))
