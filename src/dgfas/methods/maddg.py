"""MADDG: multi-adversarial discriminative deep domain generalisation (Shao, Lan, Li and Yuen, CVPR 2019), a baseline.

One extractor a source is trained on depth and frozen. Then, in turn: the shared features predict depth; they fool one
critic a source, which tells that source's own features from the shared ones, and obey the dual-force triplet loss; the
critics learn.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgfas.core.collapse import CollapseWatch
from dgfas.data.batches import Batch
from dgfas.losses.adversarial import least_squares
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.losses.triplet import dual_force_triplet
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.discriminators import PatchCritic
from dgfas.networks.embedders import LiveEmbedder
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import DepthEstimator

GENERATED, REAL = 0.0, 1.0


class MADDGOptions(MethodOptions):
    """`learning_rate` is the generator step's; the ratios multiply it for the other steps."""

    depth_rate_ratio: float
    critic_rate_ratio: float
    pretrain_rate_ratio: float
    pretrain_share: float
    triplet_weight: float
    inter_margin: float
    intra_margin: float
    intra_weight: float
    adversarial_weight: float


class MADDG(Method):
    """Learn features that no source's critic can tell from that source's own."""

    Options = MADDGOptions
    least_domains = 2

    def __init__(self, options: MADDGOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        width, side = setup.network.width, setup.network.image_size // 8
        self.encoder = Encoder(setup.network)
        last, concat = self.encoder.last_channels, self.encoder.concat_channels
        self.depth = DepthEstimator(concat, width)
        self.embedder = LiveEmbedder(last, width)
        sources = range(setup.n_domains)
        self.critics = nn.ModuleList(PatchCritic(last, side, width) for _ in sources)
        self.source_encoders = nn.ModuleList(Encoder(setup.network) for _ in sources)
        self.source_depths = nn.ModuleList(DepthEstimator(concat, width) for _ in sources)

        rate = options.learning_rate
        self.pretrain_optimiser = self.adam(
            "pretrain", [self.source_encoders, self.source_depths], rate * options.pretrain_rate_ratio
        )
        self.depth_optimiser = self.adam("depth", [self.encoder, self.depth], rate * options.depth_rate_ratio)
        self.generator_optimiser = self.adam("generator", [self.encoder, self.embedder], rate)
        self.critic_optimiser = self.adam("critics", [self.critics], rate * options.critic_rate_ratio)
        self.watch = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        """Pre-train the sources' extractors in the first `pretrain_share` of the run, then take the three steps."""
        if self.iteration < self.options.pretrain_share * self.setup.iterations:
            return self.pretrain(batch)
        self.source_encoders.eval()
        depth = self.depth_step(batch)
        shared, generator = self.generator_step(batch)
        return depth | generator | self.critic_step(batch, shared)

    def pretrain(self, batch: Batch) -> dict[str, float]:
        """Train each source's own extractor on its depth."""
        losses = [
            depth_error(depth(encoder(part.images).concat), part.depth, part.depth_known)
            for encoder, depth, part in zip(self.source_encoders, self.source_depths, batch.by_domain(), strict=True)
        ]
        self.minimise(torch.stack(losses).sum(), self.pretrain_optimiser)
        return {"pretrain_depth_loss": torch.stack(losses).mean().item()}

    def depth_step(self, batch: Batch) -> dict[str, float]:
        """Train encoder and depth estimator on depth."""
        losses = [
            depth_error(self.depth(self.encoder(group.images).concat), group.depth, group.depth_known)
            for group in self.groups(batch)
        ]
        loss = torch.stack(losses).mean()
        self.minimise(loss, self.depth_optimiser)
        return {"depth_loss": loss.item()}

    def generator_step(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Train encoder and embedder to classify, to obey the triplets and to pass for every source's own features.

        Also returns the shared features of all frames, detached, for the critics.
        """
        features = [part.last for part in self.encode(self.encoder, batch)]
        shared = torch.cat(features)
        embedded = [self.embedder(x) for x in (features if self.setup.bn_batches == "per_domain" else [shared])]
        vectors = F.normalize(torch.cat([embedding.vector for embedding in embedded]), dim=1)
        classification = binary_cross_entropy(torch.cat([embedding.logit for embedding in embedded]), batch.live)
        triplet = dual_force_triplet(
            vectors.chunk(batch.n_domains),
            batch.live.chunk(batch.n_domains),
            self.options.inter_margin,
            self.options.intra_margin,
            self.options.intra_weight,
        )
        adversarial = torch.stack([least_squares(critic(shared), REAL) for critic in self.critics]).mean()
        loss = classification + self.options.triplet_weight * triplet + self.options.adversarial_weight * adversarial
        self.minimise(loss, self.generator_optimiser)
        self.watch_embedding(vectors.detach())
        return shared.detach(), {
            "classification_loss": classification.item(),
            "triplet_loss": triplet.item(),
            "generator_loss": adversarial.item(),
        }

    def critic_step(self, batch: Batch, shared: Tensor) -> dict[str, float]:
        """Train each source's critic to tell its frozen extractor's features (real) from the shared ones."""
        real = self.frozen_features(batch)
        losses, right = [], []
        for critic, own in zip(self.critics, real, strict=True):
            real_score, shared_score = critic(own), critic(shared)
            losses.append(0.5 * (least_squares(real_score, REAL) + least_squares(shared_score, GENERATED)))
            right.append(0.5 * ((real_score > 0.5).double().mean() + (shared_score < 0.5).double().mean()))
        self.minimise(torch.stack(losses).sum(), self.critic_optimiser)
        return {
            "critic_loss": torch.stack(losses).mean().item(),
            "critic_accuracy": torch.stack(right).mean().item(),
        }

    def frozen_features(self, batch: Batch) -> Sequence[Tensor]:
        """Return each source's frames under its own extractor, with running BatchNorm statistics."""
        with torch.no_grad():
            return [
                encoder(part.images).last for encoder, part in zip(self.source_encoders, batch.by_domain(), strict=True)
            ]

    def watch_embedding(self, vectors: Tensor) -> None:
        spread = vectors.std(dim=0).mean().item()
        self.watch.report_spread("embeddings", spread, "maddg", self.iteration, "adversarial_weight")

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.embedder(self.encoder(images).last).logit)
