"""ANRL: Adaptive Normalized Representation Learning (Liu et al., ACM Multimedia 2021), Algorithm 1."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import torch
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from dgfas.core.collapse import CollapseWatch
from dgfas.core.errors import UserError
from dgfas.data.batches import Batch, join
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.losses.inter_class_separable import inter_class_separable
from dgfas.losses.inter_domain_compatible import inter_domain_compatible
from dgfas.losses.squared_distance import ChannelReduction
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import adapt, forward_with
from dgfas.networks.centres import Centres, Start
from dgfas.networks.encoder import Encoder, Features
from dgfas.networks.heads import DepthEstimator, MetaLearner
from dgfas.networks.normalization import meta_parameter_names, normalization, recorded_balance_factors

#: How a network is run on its input.
Run = Callable[[nn.Module, Tensor], Any]

#: Warn when more than this share of alpha is below .01 or above .99: the factor no longer depends on the sample.
SATURATED_SHARE = 0.2
#: Warn when the weighted calibration losses, which have no lower bound, fall below this.
RUNAWAY_CALIBRATION = -10.0


def plainly(network: nn.Module, x: Tensor) -> Any:
    return network(x)


class ANRLOptions(MethodOptions):
    """`learning_rate` and `inner_step_size` are beta_1 of the paper, `meta_learning_rate` beta_2.

    `meta_learning_rate` counts with `schedule` "two_steps" and `meta` alone: elsewhere one optimiser steps everything.
    """

    normalization: str
    inner_step_size: NonNegativeFloat
    meta_learning_rate: float
    depth_weight: float
    idc_weight: float
    ics_weight: float
    distance: ChannelReduction
    centres: Literal["pooled", "per_domain"]
    centre_momentum: float
    centre_start: Start
    centre_restarts: int
    meta: bool
    schedule: Literal["two_steps", "single_step"]
    fast_weights: Literal["attached", "detached"]
    meta_test_statistics: Literal["discarded", "kept"]
    classifier_input: Literal["last", "concat"]


class Losses(NamedTuple):
    """Sums over domains: classification and depth (`base`, eq. 14) and the two calibration losses, unweighted."""

    base: Tensor
    idc: Tensor
    ics: Tensor

    def __add__(self, other: "Losses") -> "Losses":  # type: ignore[override]
        return Losses(self.base + other.base, self.idc + other.idc, self.ics + other.ics)


class ANRL(Method):
    """Learn how much of batch and of instance normalisation each sample needs, across simulated domain shifts.

    Raises UserError if the network's own normalisation is set and contradicts the option.
    """

    Options = ANRLOptions

    def __init__(self, options: ANRLOptions, setup: Setup) -> None:
        self.least_domains = 2 if options.meta else 1  # type: ignore[misc]
        self.adapts_encoder = options.meta  # type: ignore[misc]
        super().__init__(options, setup)
        self.options = options
        network = setup.network
        normalization(options.normalization, "options.normalization")  # an unknown one is said by its own key
        if network.normalization not in ("batch", options.normalization):
            raise UserError(
                f"network.normalization: {network.normalization!r} contradicts options.normalization: "
                f"{options.normalization!r} of anrl; set options.normalization and leave the other out"
            )
        self.encoder = Encoder(network.model_copy(update={"normalization": options.normalization}))
        reads_concat = options.classifier_input == "concat"
        self.classifier = MetaLearner(
            self.encoder.concat_channels if reads_concat else self.encoder.last_channels, network.width
        )
        self.depth = DepthEstimator(self.encoder.concat_channels, network.width)
        self.centres = Centres(
            setup.n_domains, self.encoder.concat_channels, options.centre_momentum, options.centre_start
        )
        self.theta_f = meta_parameter_names(self.encoder)
        self.collapse = CollapseWatch()
        networks = [self.encoder, self.classifier, self.depth]
        if options.meta and options.schedule == "two_steps":
            afnm = nn.ParameterList(self.encoder.get_parameter(name) for name in self.theta_f)
            chosen = {id(parameter) for parameter in afnm}
            base = nn.ParameterList(p for net in networks for p in net.parameters() if id(p) not in chosen)
            self.adam("base", [base], options.learning_rate)
            self.adam("afnm", [afnm], options.meta_learning_rate)
        else:
            self.adam("all", networks, options.learning_rate)

    def update(self, batch: Batch) -> dict[str, float]:
        """Do lines 4 to 13 of Algorithm 1; both steps take the same batch."""
        with recorded_balance_factors(self.encoder) as alpha:
            if not self.options.meta:
                report = self.normal_train(batch, "all")
            elif self.options.schedule == "two_steps":
                report = self.normal_train(batch, "base") | self.meta_learn(batch, "afnm")
            else:
                report = self.meta_learn(batch, "all")
        return report | self.describe(alpha)

    def normal_train(self, batch: Batch, optimiser: str) -> dict[str, float]:
        """Do lines 4 to 6: step on the classification and depth losses of all domains (eq. 14)."""
        features = self.encode(self.encoder, batch)
        losses = [self.base_loss(*domain) for domain in zip(features, batch.by_domain(), strict=True)]
        loss = torch.stack(losses).sum()
        self.minimise(loss, self.optimisers[optimiser])
        return {"base_loss": loss.item()}

    def meta_learn(self, batch: Batch, optimiser: str) -> dict[str, float]:
        """Do lines 7 to 13: step on what theta_F does to meta-train and, adapted, to meta-test (eq. 18)."""
        meta_train, meta_test = self.meta_losses(batch)
        train_loss, test_loss = self.weighted(meta_train), self.weighted(meta_test)
        self.minimise(train_loss + test_loss, self.optimisers[optimiser])
        both = meta_train + meta_test
        calibration = (self.weighted(both) - both.base).item()
        self.collapse.report(
            "calibration",
            calibration < RUNAWAY_CALIBRATION,
            f"anrl: the calibration losses are {calibration:.3g} at iteration {self.iteration} and have no lower "
            "bound: features drift apart; lower options.idc_weight and options.ics_weight",
        )
        return {
            "meta_train_loss": train_loss.item(),
            "meta_test_loss": test_loss.item(),
            "idc_loss": both.idc.item(),
            "ics_loss": both.ics.item(),
        }

    def meta_losses(self, batch: Batch) -> tuple[Losses, Losses]:
        """Return the losses of the meta-train domains (eq. 15) and those of the meta-test domain, adapted (eq. 17)."""
        self.restart_centres()
        order = self.shared_rng("meta split").permutation(batch.n_domains)
        # A frame that stands in for a class that a found domain lacks counts as of that domain.
        parts = [replace(part, domain=torch.full_like(part.domain, k)) for k, part in enumerate(batch.by_domain())]
        train, test = join([parts[k] for k in order[:-1]]), parts[order[-1]]

        meta_train = self.losses(self.encode(self.encoder, train), train)
        adapted = adapt(
            self.encoder,
            self.weighted(meta_train),
            self.options.inner_step_size,
            names=self.theta_f,
            attached=self.options.fast_weights == "attached",
        )
        keep = self.options.meta_test_statistics == "kept"

        def run(network: nn.Module, features: Tensor) -> Any:
            return forward_with(network, {}, features, keep_statistics=keep)

        test_features = forward_with(self.encoder, adapted, test.images, keep_statistics=keep)
        meta_test = self.losses([test_features], test, run)
        return meta_train, meta_test

    def losses(self, features: list[Features], batch: Batch, run: Run = plainly) -> Losses:
        """Return the sums of all four losses over the domains of `batch`; the centres follow it first."""
        parts = batch.by_domain()
        base = torch.stack([self.base_loss(*domain, run) for domain in zip(features, parts, strict=True)]).sum()
        if not (self.options.idc_weight or self.options.ics_weight):
            return Losses(base, base.new_zeros(()), base.new_zeros(()))
        pooled = [part.concat.mean(dim=(2, 3)) for part in features]
        self.follow(pooled, parts)
        calibrations = [self.calibration(*domain) for domain in zip(pooled, parts, strict=True)]
        idc, ics = (torch.stack(terms).sum() for terms in zip(*calibrations, strict=True))
        return Losses(base, idc, ics)

    def weighted(self, losses: Losses) -> Tensor:
        """Return the sum of eq. 15 and 17."""
        return losses.base + self.options.idc_weight * losses.idc + self.options.ics_weight * losses.ics

    def base_loss(self, features: Features, batch: Batch, run: Run = plainly) -> Tensor:
        """Return the classification loss (eq. 13) and the weighted depth loss (eq. 12) of one domain."""
        logit = run(self.classifier, self.classifier_input(features))
        error = depth_error(run(self.depth, features.concat), batch.depth, batch.depth_known)
        return binary_cross_entropy(logit, batch.live) + self.options.depth_weight * error

    def classifier_input(self, features: Features) -> Tensor:
        return features.concat if self.options.classifier_input == "concat" else features.last

    def restart_centres(self) -> None:
        restarts = self.options.centre_restarts
        if restarts and self.iteration % max(1, self.setup.iterations // restarts) == 0:
            self.centres.restart()

    def follow(self, pooled: list[Tensor], parts: list[Batch]) -> None:
        """Move the centres towards the means of these domains' live and spoof samples, over all processes."""
        means = torch.stack(
            [
                torch.stack([features[part.live > 0.5].mean(dim=0), features[part.live < 0.5].mean(dim=0)])
                for features, part in zip(pooled, parts, strict=True)
            ]
        ).detach()
        self.average([means])
        self.centres.follow(torch.stack([part.domain[0] for part in parts]), means)

    def calibration(self, pooled: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the inter-domain compatible (eq. 8) and inter-class separable loss (eq. 11) of one domain's samples.

        With centres "per_domain", the first sees live samples only and the second this domain's centres only.
        """
        values, channels = self.centres.values, self.options.distance
        if self.options.centres == "per_domain":
            live = batch.live > 0.5
            idc = inter_domain_compatible(pooled[live], batch.domain[live], values[:, 0], channels)
            live_centre, spoof_centre = values[batch.domain[0]]
        else:
            idc = inter_domain_compatible(pooled, batch.domain, values.mean(dim=1), channels)
            live_centre, spoof_centre = values.mean(dim=0)
        return idc, inter_class_separable(pooled, batch.live, live_centre, spoof_centre, channels)

    def describe(self, alpha: list[list[Tensor]]) -> dict[str, float]:
        """Return each layer's mean alpha (1 = batch, 0 = instance normalisation) and the share that is saturated."""
        if not alpha:
            return {}
        layers = [torch.cat(passes).flatten() for passes in alpha]
        everything = torch.cat(layers)
        rate = "meta_learning_rate" if "afnm" in self.optimisers else "learning_rate"
        saturated = ((everything < 0.01) | (everything > 0.99)).to(everything.dtype).mean().item()
        self.collapse.report(
            "alpha",
            saturated > SATURATED_SHARE,
            f"anrl: {saturated:.0%} of alpha are below .01 or above .99 at iteration {self.iteration}: the balance "
            f"factors saturate; lower options.idc_weight and options.ics_weight or options.{rate}",
        )
        means = torch.stack([layer.mean() for layer in layers]).tolist()
        return {f"alpha_layer_{k}": mean for k, mean in enumerate(means, start=1)} | {"alpha_saturated": saturated}

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.classifier(self.classifier_input(self.encoder(images))))
