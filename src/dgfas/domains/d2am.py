"""D2AM's pseudo-domains (Chen et al., AAAI 2021): channels of low attention, k-means for each class, Kuhn-Munkres."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from pydantic import Field

from dgfas.core.errors import UserError
from dgfas.domains.clustering import check_finite, cluster, principal_components, standardised
from dgfas.domains.found import FoundDomains, FoundOptions
from dgfas.domains.matching import matched
from dgfas.domains.provider import Assignment, FrameTable
from dgfas.domains.style import Style, StyleKind

#: Below this mean of 1 - a, F- = (1 - a) F vanishes; below this spread of a, the choice of channels is arbitrary.
LEAST_COMPLEMENT = 0.02
LEAST_SPREAD = 1e-4


class D2AMOptions(FoundOptions):
    """`select` takes the half of the channels with the lowest attention (false: all, table 3 "w/o select").

    `per_sample` ranks channels by each frame's own attention instead of the mean over all frames. `pca` reduces the
    standardised statistics to that many dimensions. `imagenet_weights` is a ResNet-18 state dict for the first
    clustering.
    """

    provider: Literal["d2am"] = "d2am"
    select: bool = True
    per_sample: bool = False
    pca: int | None = Field(default=None, ge=1)
    imagenet_weights: Path | None = None


class D2AMDomains(FoundDomains):
    """Cluster live and spoof frames apart by domain-discriminative statistics; pair them through their history."""

    Options = D2AMOptions
    style_kind: ClassVar[StyleKind | None] = "d2am"

    def __init__(self, options: D2AMOptions, seed: int) -> None:
        super().__init__(options, seed)
        self.options = options

    def check(self, live: Bool[ndarray, " n"]) -> None:
        """Raise UserError if a class has fewer frames than `k`, or `imagenet_weights` is not there."""
        super().check(live)
        weights = self.options.imagenet_weights
        if weights is not None and not weights.is_file():
            raise UserError(f"domains.imagenet_weights: {weights} does not exist; name a ResNet-18 state dict")

    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Do lines 4 to 8 of Algorithm 1.

        The first clustering takes all frames together, by image features, so that live and spoof clusters pair up.
        Later ones take each class alone and match its clusters to the class's previous domains, which keeps the pairs.
        """
        super().check(frames.live)  # a resumed run does not need the weights
        statistics = frames.image_features(self.options.imagenet_weights) if previous is None else style()
        check_finite(statistics, clustering)
        features = self.domain_features(statistics)
        domain = np.empty(len(frames.live), dtype=np.int64)
        notes = list(statistics.notes)
        classes = {"live": frames.live, "spoof": ~frames.live}
        for word, part in classes.items() if previous is not None else [("all", np.ones_like(frames.live))]:
            labels, faults = cluster(features[part], self.n_domains, self.seed_for(clustering, word))
            domain[part] = labels if previous is None else matched(labels, previous[part], self.n_domains)
            notes += [f"clustering {word} frames: {fault}" for fault in faults]
        found = self.report(domain, features, frames, clustering, previous)
        return replace(found, log=found.log | self.attention_log(statistics), notes=(*notes, *found.notes))

    def domain_features(self, style: Style) -> Float[ndarray, "n d"]:
        """Return df(x) of each frame, standardised: mean and standard deviation of the kept channels of each F-.

        Statistics without attention are taken whole.
        """
        stages = [name.removesuffix("/attention") for name in style.names("attention")]
        kept = np.concatenate([self._kept(style, s) for s in stages], axis=1) if stages else style.features
        features = standardised(kept)
        return features if self.options.pca is None else principal_components(features, self.options.pca)

    def _kept(self, style: Style, stage: str) -> Float[ndarray, "n c"]:
        """Return mean and standard deviation of one DRLM's kept channels, the lowest attention first."""
        statistics = [style.block(f"{stage}/mean"), style.block(f"{stage}/std")]
        if not self.options.select:
            return np.concatenate(statistics, axis=1)
        attention = style.block(f"{stage}/attention")
        half = attention.shape[1] // 2
        if self.options.per_sample:
            lowest = np.argsort(attention, axis=1, kind="stable")[:, :half]
            return np.concatenate([np.take_along_axis(s, lowest, axis=1) for s in statistics], axis=1)
        lowest = np.argsort(attention.mean(axis=0), kind="stable")[:half]
        return np.concatenate([s[:, lowest] for s in statistics], axis=1)

    def attention_log(self, style: Style) -> dict[str, float]:
        """Return, for each DRLM, the spread of attention over channels and the mean of 1 - a; warn of a collapse."""
        log: dict[str, float] = {}
        for name in style.names("attention"):
            attention = style.block(name)
            spread, complement = float(attention.mean(axis=0).std()), float(1 - attention.mean())
            log |= {f"{name}_spread": spread, f"{name}_complement": complement}
            self.watch.report(
                f"{name} complement",
                complement < LEAST_COMPLEMENT,
                f"{name} is nearly 1 everywhere, so F- vanishes and noise names the domains; "
                "lower options.entropy_weight",
            )
            self.watch.report(
                f"{name} spread",
                spread < LEAST_SPREAD,
                f"{name} is the same for all channels; the choice among them is arbitrary",
            )
        return log
