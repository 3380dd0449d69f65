"""D2AM: Generalizable Representation Learning for Mixture Domain Face Anti-Spoofing (Chen et al., AAAI 2021).

Lines 9 to 17 of Algorithm 1. Lines 2 to 8, naming the domains, are the provider domains/d2am.py.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from dgfas.core.collapse import CollapseWatch
from dgfas.data.batches import Batch
from dgfas.domains.d2am import LEAST_COMPLEMENT
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.losses.entropy import EntropyForm, domain_enhancement_entropy
from dgfas.losses.mmd import squared_mmd
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import Order, adapt, forward_with
from dgfas.networks.domain_representation import DomainRepresentation
from dgfas.networks.encoder import Encoder, Features
from dgfas.networks.heads import Adaptation, AdaptationLearner, DepthEstimator

#: A probe W_p shorter than this answers 1/2 whatever the domain features hold.
LEAST_PROBE_NORM = 0.05


class D2AMOptions(MethodOptions):
    """`learning_rate` is beta of the paper, `inner_step_size` alpha, `mmd_weight` lambda_m, `entropy_weight` lambda_p.

    `reduction` is tau of the DRLM. `probe` "joint" trains W_p on the entropy loss as printed; "detached" trains W_p by
    cross-entropy on F- and F- alone by the entropy loss, so that W_p = 0 is no way out.
    """

    inner_step_size: NonNegativeFloat
    depth_weight: float
    mmd_weight: float
    entropy_weight: float
    entropy: EntropyForm
    probe: Literal["joint", "detached"]
    reduction: PositiveInt
    order: Order
    bn_momentum: float


@dataclass(frozen=True)
class Domain:
    """One domain's batch, its features, and what went into each DRLM."""

    batch: Batch
    features: Features
    stages: list[Tensor]


class D2AM(Method):
    """Meta-learn across pseudo-domains, with features that leave the domain to channels of low attention."""

    Options = D2AMOptions
    least_domains = 2

    def __init__(self, options: D2AMOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        channels, stages = self.encoder.last_channels, len(self.encoder.stages)
        self.drlms = [DomainRepresentation(channels, options.reduction) for _ in range(stages)]
        self.encoder.after_stage = nn.ModuleList(self.drlms)
        self.meta_learner = AdaptationLearner(channels, width, options.bn_momentum)
        self.depth = DepthEstimator(self.encoder.concat_channels, width)
        self.optimiser = self.adam("all", [self.encoder, self.meta_learner, self.depth], options.learning_rate)
        self.watch = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        """Do lines 10 to 17 of Algorithm 1; eq. 11 to 13 are the gradients of one sum."""
        domains = self.encoded(batch)
        meta_train, meta_test = self.losses(domains)
        self.minimise(meta_train + meta_test, self.optimiser)
        return {"meta_train_loss": meta_train.item(), "meta_test_loss": meta_test.item(), **self.attention_log(domains)}

    def encoded(self, batch: Batch) -> list[Domain]:
        """Return each domain with its features and the inputs of the three DRLMs."""
        inputs: list[Tensor] = []

        def keep(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            inputs.append(arguments[0])

        hooks = [drlm.register_forward_pre_hook(keep) for drlm in self.drlms]
        features = self.encode(self.encoder, batch)
        for hook in hooks:
            hook.remove()
        parts = batch.by_domain()
        if len(inputs) == len(self.drlms):  # one forward for all domains
            stages = [list(parts_of) for parts_of in zip(*(x.chunk(len(parts)) for x in inputs), strict=True)]
        else:
            stages = [inputs[k : k + len(self.drlms)] for k in range(0, len(inputs), len(self.drlms))]
        return [Domain(*domain) for domain in zip(parts, features, stages, strict=True)]

    def losses(self, domains: list[Domain]) -> tuple[Tensor, Tensor]:
        """Return the sums over domains of the meta-train losses (lines 11 to 14) and of the meta-test losses (16)."""
        order = self.shared_rng("meta split").permutation(len(domains))
        test = domains[order[-1]]
        meta_train = torch.zeros((), device=test.batch.images.device)
        meta_test = self.depth_loss(test)
        for k in order[:-1]:
            train = domains[k]
            inner = self.learner_loss(self.meta_learner(train.features.last), train.batch, f"meta-train {k}")
            adapted = adapt(self.meta_learner, inner, self.options.inner_step_size, self.options.order)
            meta_train = meta_train + inner + self.depth_loss(train) + self.entropy_loss(train)
            answer = forward_with(self.meta_learner, adapted, test.features.last)
            meta_test = meta_test + self.learner_loss(answer, test.batch, f"meta-test {k}")
        return meta_train, meta_test

    def learner_loss(self, answer: Adaptation, batch: Batch, purpose: str) -> Tensor:
        """Return classification (eq. 8) and weighted MMD to fresh draws of the standard normal prior (eq. 9)."""
        draws = self.shared_rng(f"prior, {purpose}").standard_normal(tuple(answer.features.shape))
        prior = torch.from_numpy(draws).to(answer.features)
        classification = binary_cross_entropy(answer.logit, batch.live)
        return classification + self.options.mmd_weight * squared_mmd(answer.features, prior)

    def depth_loss(self, domain: Domain) -> Tensor:
        """Eq. 10, weighted."""
        error = depth_error(self.depth(domain.features.concat), domain.batch.depth, domain.batch.depth_known)
        return self.options.depth_weight * error

    def entropy_loss(self, domain: Domain) -> Tensor:
        """Return the weighted sum of eq. 7 over the DRLMs, as in eq. 12."""
        total = torch.zeros((), device=domain.batch.images.device)
        for drlm, features in zip(self.drlms, domain.stages, strict=True):
            pooled, probe = drlm.pooled_domain_features(features), drlm.probe.weight[0]
            if self.options.probe == "detached":
                total = total + binary_cross_entropy(pooled.detach() @ probe, domain.batch.live)
                probe = probe.detach()
            entropy = domain_enhancement_entropy(pooled @ probe, self.options.entropy)
            total = total + self.options.entropy_weight * entropy
        return total

    @torch.no_grad()
    def attention_log(self, domains: list[Domain]) -> dict[str, float]:
        """Return what shows whether the DRLMs still tell channels apart; warn if they have collapsed."""
        log: dict[str, float] = {}
        for j, drlm in enumerate(self.drlms, start=1):
            features = torch.cat([domain.stages[j - 1] for domain in domains])
            attention, probe = drlm.attention(features), drlm.probe.weight[0]
            undecided = (drlm.pooled_domain_features(features) @ probe).sigmoid() - 0.5
            log[f"drlm{j}/attention_spread"] = attention.mean(dim=0).std().item()
            log[f"drlm{j}/attention_complement"] = complement = 1 - attention.mean().item()
            log[f"drlm{j}/probability_from_half"] = undecided.abs().mean().item()
            log[f"drlm{j}/probe_norm"] = norm = probe.norm().item()
            self.watch.report(
                f"complement {j}",
                complement < LEAST_COMPLEMENT,
                f"attention of DRLM {j} is nearly 1 everywhere: F- vanishes; lower options.entropy_weight",
            )
            self.watch.report(
                f"probe {j}",
                norm < LEAST_PROBE_NORM,
                f"the probe of DRLM {j} is nearly 0 and answers 1/2 whatever F- holds; set options.probe=detached",
            )
        return log

    def score(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.meta_learner(self.encoder(images).last).logit)
