"""DRDG: Dual Reweighting Domain Generalization (Liu et al., IJCAI 2021), Algorithm 1."""

import math
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from dgfas.core.collapse import CollapseWatch
from dgfas.core.errors import UserError
from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.losses.domain_likelihood import domain_cross_entropy, domain_log_likelihood, weighted_domain_likelihood
from dgfas.losses.sample_weights import mean_one, reversed_from_largest
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.discriminators import PooledDiscriminator
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import DepthEstimator, MetaLearner
from dgfas.networks.reweighting import FeatureReweighting, SampleReweighting

Step = Literal["discriminator", "srm", "main", "frm"]

#: Warn when fewer samples than this carry all the weight of a class: (sum W)^2 / sum W^2.
FEWEST_EFFECTIVE_SAMPLES = 2.0
#: Warn when the weights of a class differ by less than this, relative to their mean.
LEAST_RELATIVE_SPREAD = 1e-3


class DRDGOptions(MethodOptions):
    """`learning_rate` is alpha of the paper, `reweighting_learning_rate` beta, `frm_every` K."""

    discriminator_learning_rate: float
    reweighting_learning_rate: float
    depth_weight: float
    adversarial_weight: float
    frm_every: PositiveInt
    schedule: Literal["algorithm", "text"]
    srm: Literal["normal", "reverse", "none"]
    frm: Literal["normal", "reverse", "none"]
    sample_weights: Literal["mean_one", "raw"]
    channel_weights: Literal["mean_one", "softmax"]
    likelihood_floor: float | None


class DRDG(Method):
    """Weigh samples by how little their domain shows; then bring the others in by weighing their channels."""

    Options = DRDGOptions
    least_domains = 2

    def __init__(self, options: DRDGOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        require_main_steps(options)
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        channels = self.encoder.concat_channels
        self.classifier = MetaLearner(channels, width)
        self.depth = DepthEstimator(channels, width)
        self.discriminator = PooledDiscriminator(channels, setup.n_domains, width)
        main = [self.encoder, self.classifier, self.depth]
        self.adam("discriminator", [self.discriminator], options.discriminator_learning_rate)
        if options.srm != "none":
            self.srm_live = SampleReweighting(channels, width)
            self.srm_spoof = SampleReweighting(channels, width)
            self.adam("srm", [self.srm_live, self.srm_spoof], options.reweighting_learning_rate)
        if options.frm != "none":
            self.frm = FeatureReweighting(channels, mean_one=options.channel_weights == "mean_one")
            self.adam("frm", [self.frm], options.reweighting_learning_rate)
            main.append(self.frm)
        self.adam("main", main, options.learning_rate)
        self.collapse = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        """Do one pass t of Algorithm 1's loop: all steps that are due, on the same batch."""
        steps = steps_of(self.batch_number + 1, self.options)
        groups = self.groups(batch)
        with torch.set_grad_enabled("main" in steps):
            encoded = [self.encoder(group.images).concat for group in groups]
        features = [self.reweighted(group) for group in encoded]
        report: dict[str, float] = {}
        if "discriminator" in steps:
            report |= self.discriminator_step(torch.cat(features).detach(), batch)
        if "srm" in steps:
            report |= self.srm_step(torch.cat(features).detach(), batch)
        if "main" in steps:
            report |= self.main_step(features, groups, batch)
        if "frm" in steps:
            report |= self.frm_step(torch.cat(features), batch)
        return report

    def batches_of(self, iteration: int) -> range:
        """Return the passes behind the last update of the encoder, up to the next."""
        period = 2 * self.options.frm_every
        main = [t for t in range(1, period + 1) if "main" in steps_of(t, self.options)]
        periods, place = divmod(iteration, len(main))
        before = main[place - 1] if place else main[-1] - period
        return range(max(0, periods * period + before), periods * period + main[place])

    def reweighted(self, encoded: Tensor) -> Tensor:
        """Return F_FRM = A ⊗ F (eq. 3); the encoder's features where there is no FRM."""
        return encoded if self.options.frm == "none" else self.frm(encoded)

    def discriminator_step(self, features: Tensor, batch: Batch) -> dict[str, float]:
        """Do lines 8 to 10, step A: learn to tell the domains apart."""
        logits = self.discriminator(features)
        loss = domain_cross_entropy(logits, batch.domain)
        self.minimise(loss, self.optimisers["discriminator"])
        accuracy = (logits.argmax(dim=1) == batch.domain).to(logits.dtype).mean()
        return {"discriminator_loss": loss.item(), "discriminator_accuracy": accuracy.item()}

    def srm_step(self, features: Tensor, batch: Batch) -> dict[str, float]:
        """Do lines 12 and 13, step B: weigh the more, the less the discriminator knows a sample's domain (eq. 2)."""
        weight = self.weight(features, batch)
        scaled = mean_one(weight, batch.live) if self.options.sample_weights == "mean_one" else weight
        loss = weighted_domain_likelihood(self.log_likelihood(features, batch), scaled)
        self.minimise(loss, self.optimisers["srm"])
        return {"srm_loss": loss.item()} | self.describe(weight.detach(), batch)

    def main_step(self, features: list[Tensor], groups: list[Batch], batch: Batch) -> dict[str, float]:
        """Do lines 14 to 21, step C: encoder, classifier, depth estimator and FRM, on weighted samples."""
        joint = torch.cat(features)
        weight = self.main_weight(joint, batch)
        logit = torch.cat([self.classifier(part) for part in features])
        predicted = torch.cat([self.depth(part) for part in features])
        classification = binary_cross_entropy(logit, batch.live, weight)  # line 17
        depth = depth_error(predicted, batch.depth, batch.depth_known, weight)  # line 15
        log_likelihood = self.log_likelihood(joint, batch)
        adversarial = weighted_domain_likelihood(log_likelihood, weight)  # -W L_Dis of line 20
        loss = classification + self.options.depth_weight * depth + self.options.adversarial_weight * adversarial
        self.minimise(loss, self.optimisers["main"])
        self.watch_discriminator(-log_likelihood.mean().item())
        return {
            "encoder_loss": loss.item(),
            "classification_loss": classification.item(),
            "depth_loss": depth.item(),
            "domain_cross_entropy": -log_likelihood.mean().item(),
        }

    def frm_step(self, features: Tensor, batch: Batch) -> dict[str, float]:
        """Do lines 23 and 24, step D: make the samples that weigh least fool the discriminator, by FRM alone."""
        loss = weighted_domain_likelihood(self.log_likelihood(features, batch), self.frm_weight(features, batch))
        self.minimise(-loss if self.options.frm == "reverse" else loss, self.optimisers["frm"])
        return {"frm_loss": loss.item()}

    def weight(self, features: Tensor, batch: Batch) -> Tensor:
        """Return W of each sample, in (0, 1), from its class's SRM (eq. 1)."""
        return torch.where(batch.live > 0.5, self.srm_live(features), self.srm_spoof(features))

    @torch.no_grad()
    def main_weight(self, features: Tensor, batch: Batch) -> Tensor:
        """Return the weight of each sample in the main step; 1 without SRM."""
        if self.options.srm == "none":
            return torch.ones_like(batch.live)
        weight = self.weight(features, batch)
        if self.options.srm == "reverse":
            weight = 1 - weight
        return mean_one(weight, batch.live) if self.options.sample_weights == "mean_one" else weight

    @torch.no_grad()
    def frm_weight(self, features: Tensor, batch: Batch) -> Tensor:
        """Return the weight of each sample in the FRM step, 1 - W on the scale of the largest; 1 without SRM."""
        if self.options.srm == "none":
            return torch.ones_like(batch.live)
        weight = self.weight(features, batch)
        raw = self.options.sample_weights == "raw"
        return 1 - weight if raw else reversed_from_largest(weight, batch.live)

    def log_likelihood(self, features: Tensor, batch: Batch) -> Tensor:
        """Return d log D of each sample, from the floor upwards."""
        return domain_log_likelihood(self.discriminator(features), batch.domain, self.options.likelihood_floor)

    def describe(self, weight: Tensor, batch: Batch) -> dict[str, float]:
        """Return mean and standard deviation of W for each class; warn if all are equal or few carry all."""
        report: dict[str, float] = {}
        for word, is_class in (("live", batch.live > 0.5), ("spoof", batch.live < 0.5)):
            of_word = weight[is_class]
            mean, spread = of_word.mean().item(), of_word.std(correction=0).item()
            effective = (of_word.sum().square() / of_word.square().sum().clamp(min=1e-16)).item()
            report |= {f"weight_{word}_mean": mean, f"weight_{word}_spread": spread}
            self.collapse.report(
                f"equal {word} weights",
                spread < LEAST_RELATIVE_SPREAD * mean,
                f"drdg: SRM weighs all {word} samples alike ({mean:.4f}) at iteration {self.iteration}: it selects "
                "none; raise options.reweighting_learning_rate, with sample_weights and channel_weights at mean_one",
            )
            self.collapse.report(
                f"concentrated {word} weights",
                len(of_word) > FEWEST_EFFECTIVE_SAMPLES > effective,
                f"drdg: {effective:.1f} of {len(of_word)} {word} samples carry all the weight at iteration "
                f"{self.iteration}; lower options.reweighting_learning_rate",
            )
        return report

    def watch_discriminator(self, cross_entropy: float) -> None:
        chance = math.log(self.setup.n_domains)
        self.collapse.report(
            "fooled discriminator",
            cross_entropy > 2 * chance,
            f"drdg: the discriminator's cross-entropy is {cross_entropy:.2f} at iteration {self.iteration}, chance is "
            f"{chance:.2f}: features fool it without bound; raise options.discriminator_learning_rate or lower "
            "options.adversarial_weight",
        )

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.classifier(self.reweighted(self.encoder(images).concat)))


def steps_of(t: int, options: DRDGOptions) -> tuple[Step, ...]:
    """Return the steps of pass t = 1, 2, ..., in order; without a module its step is left out.

    "algorithm" is the loop of Algorithm 1, "text" steps A to D of section 3.4, which differ.
    """
    main: tuple[Step, ...] = ("main",) if options.srm == "none" else ("srm", "main")
    if options.frm != "none" and t % options.frm_every == 0:
        return ("frm",)
    if options.schedule == "text":
        return ("discriminator", *main)
    return ("discriminator",) if t % 2 else main


def require_main_steps(options: DRDGOptions) -> None:
    """Raise UserError if FRM's turns would leave the encoder none."""
    least = 3 if options.schedule == "algorithm" else 2
    if options.frm != "none" and options.frm_every < least:
        raise UserError(
            f"options.frm_every: {options.frm_every} leaves no iteration to the encoder with schedule "
            f"{options.schedule!r}; use {least} or more (the paper's is 5)"
        )
