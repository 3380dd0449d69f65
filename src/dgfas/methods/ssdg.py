"""SSDG: single-side domain generalisation (Jia, Zhang, Shan and Chen, CVPR 2020), as a baseline.

Live frames of all sources are to look alike, spoofs need not: only live embeddings meet the domain discriminator, and
the triplet loss has one group of live frames and one group of spoofs a source.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Optimizer

from dgfas.core.collapse import CollapseWatch
from dgfas.core.errors import UserError
from dgfas.data.batches import Batch
from dgfas.losses.adversarial import reversal_strength, reverse_gradient
from dgfas.losses.triplet import batch_all_triplet
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.backbones import imagenet_normalised, load_imagenet_weights, resnet18_halves
from dgfas.networks.discriminators import EmbeddingDiscriminator
from dgfas.networks.embedders import Bottleneck, PooledConvolutions
from dgfas.networks.encoder import Encoder, Features


class SSDGOptions(MethodOptions):
    """`rate_drop_at` is the share of the run after which the rate is a tenth; 1 keeps it."""

    backbone: Literal["depthnet", "resnet18"]
    pretrained: bool
    imagenet_weights: Path | None
    input: Literal["rgb_hsv", "rgb"]
    normalization: Literal["unit", "half_power"]
    optimiser: Literal["adam", "sgd"]
    rate_drop_at: float
    triplet_weight: float
    triplet_margin: float
    adversarial_weight: float


class SSDG(Method):
    """Align live frames across domains, keep each domain's spoofs apart."""

    Options = SSDGOptions
    least_domains = 2

    def __init__(self, options: SSDGOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        self.generator, self.embedder, channels = self.backbone()
        self.classifier = nn.Linear(channels, 2, bias=options.normalization == "half_power")
        self.discriminator = EmbeddingDiscriminator(channels, setup.n_domains)
        self.optimiser = self.make_optimiser()
        self.watch = CollapseWatch()
        self.project_classifier()

    def backbone(self) -> tuple[nn.Module, nn.Module, int]:
        """Return generator, embedder and the channels of the embedding: SSDG-M or SSDG-R.

        Raises UserError if SSDG-R lacks its ImageNet weights, or its input is not RGB.
        """
        if self.options.backbone == "depthnet":
            encoder = Encoder(self.setup.network, in_channels=3 if self.options.input == "rgb" else 6)
            convolutions = PooledConvolutions(encoder.last_channels, self.setup.network.width)
            return encoder, Bottleneck(convolutions, convolutions.out_channels), convolutions.out_channels
        if self.options.input != "rgb":
            raise UserError("options.backbone: resnet18 reads three channels; set options.input=rgb")
        if self.options.pretrained and self.options.imagenet_weights is None:
            raise UserError(
                "options.backbone: resnet18 starts from ImageNet weights; set options.imagenet_weights to a ResNet-18 "
                "state dict, or options.pretrained=false to start without"
            )
        generator, body = resnet18_halves("options.backbone", "set options.backbone=depthnet")
        return generator, Bottleneck(body, 512), 512

    def make_optimiser(self) -> Optimizer:
        modules = [self.generator, self.embedder, self.classifier, self.discriminator]
        if self.options.optimiser == "adam":
            return self.adam("all", modules, self.options.learning_rate)
        parameters = [parameter for module in modules for parameter in module.parameters()]
        self.optimisers["all"] = SGD(parameters, self.options.learning_rate, momentum=0.9, weight_decay=5e-4)
        return self.optimisers["all"]

    def update(self, batch: Batch) -> dict[str, float]:
        self.start()
        embedding = torch.cat([self.embed(group.images) for group in self.groups(batch)])
        live = batch.live == 1
        logits = self.classify(embedding)
        classification = F.cross_entropy(logits, live.long())
        # One group for all live frames, one for the spoofs of each domain: the asymmetric triplet loss.
        triplet = batch_all_triplet(embedding, torch.where(live, 0, batch.domain + 1), self.options.triplet_margin)
        strength = reversal_strength(self.iteration / self.setup.iterations)
        domain_logits = self.discriminator(reverse_gradient(embedding[live], strength))
        adversarial = F.cross_entropy(domain_logits, batch.domain[live])
        loss = classification + self.options.triplet_weight * triplet + self.options.adversarial_weight * adversarial
        self.minimise(loss, self.optimiser)
        self.project_classifier()
        return {
            "loss": loss.item(),
            "classification_loss": classification.item(),
            "triplet_loss": triplet.item(),
            "domain_loss": adversarial.item(),
            "discriminator_accuracy": (domain_logits.argmax(dim=1) == batch.domain[live]).float().mean().item(),
            "embedding_spread": self.spread(embedding.detach()),
        }

    def start(self) -> None:
        """Load the ImageNet weights before the first iteration; lower the rate where the preset says so."""
        if self.iteration == 0 and self.options.backbone == "resnet18" and self.options.pretrained:
            assert self.options.imagenet_weights is not None
            load_imagenet_weights(self.generator, self.options.imagenet_weights)
        dropped = self.iteration >= self.options.rate_drop_at * self.setup.iterations
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * (0.1 if dropped else 1)

    def embed(self, images: Tensor) -> Tensor:
        """Return the normalised embeddings: of length 1, or of length sqrt(norm / 2) as the released code divides."""
        features = self.generator(imagenet_normalised(images) if self.options.input == "rgb" else images)
        embedding: Tensor = self.embedder(features.last if isinstance(features, Features) else features)
        if self.options.normalization == "unit":
            return F.normalize(embedding, dim=1)
        return embedding / (2 * embedding.norm(dim=1, keepdim=True).clamp(min=1e-12)).sqrt()

    def classify(self, embedding: Tensor) -> Tensor:
        """Return the logits of spoof and live; with unit normalisation they are cosines."""
        if self.options.normalization == "unit":
            return F.linear(embedding, F.normalize(self.classifier.weight, dim=1))
        logits: Tensor = self.classifier(embedding)
        return logits

    def project_classifier(self) -> None:
        """Normalise the stored weights across the two classes, as the released code does before each forward."""
        if self.options.normalization == "half_power":
            with torch.no_grad():
                self.classifier.weight.copy_(F.normalize(self.classifier.weight, dim=0))

    def spread(self, embedding: Tensor) -> float:
        """Return the mean standard deviation of the embedding's entries; warn when all frames have the same one."""
        spread = embedding.std(dim=0).mean().item()
        self.watch.report_spread("embeddings", spread, "ssdg", self.iteration, "adversarial_weight")
        return spread

    def score(self, images: Tensor) -> Tensor:
        return torch.softmax(self.classify(self.embed(images)), dim=1)[:, 1]
