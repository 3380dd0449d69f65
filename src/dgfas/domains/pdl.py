"""PDL-FAS's pseudo-domains (section 3.2): statistics of encoder and depth estimator, PCA, k-means or a mixture."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from pydantic import Field

from dgfas.domains.clustering import check_finite, cluster, principal_components
from dgfas.domains.found import FoundDomains, FoundOptions
from dgfas.domains.matching import matched
from dgfas.domains.provider import Assignment, FrameTable
from dgfas.domains.style import Style, StyleKind


class PDLOptions(FoundOptions):
    """`clusterer` "knn" is what the paper prints for k-means; `spread` is its variance, or the standard deviation."""

    provider: Literal["pdl"] = "pdl"
    clusterer: Literal["kmeans", "gmm", "knn"] = "kmeans"
    pca: int = Field(default=256, ge=1)
    spread: Literal["variance", "std"] = "variance"


class PDLDomains(FoundDomains):
    """Cluster all frames together, live and spoof, by the style statistics of the network under training."""

    Options = PDLOptions
    style_kind: ClassVar[StyleKind | None] = "pdl"

    def __init__(self, options: PDLOptions, seed: int) -> None:
        super().__init__(options, seed)
        self.options = options

    def assign(
        self, clustering: int, frames: FrameTable, style: Callable[[], Style], previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Divide all frames into k domains; the first clustering sees the untrained network."""
        self.check(frames.live)
        statistics = style()
        check_finite(statistics, clustering)
        features = self.style_features(statistics)
        kind: Literal["kmeans", "gmm"] = "gmm" if self.options.clusterer == "gmm" else "kmeans"
        domain, faults = cluster(features, self.n_domains, self.seed_for(clustering), kind)
        if previous is not None:
            domain = matched(domain, previous, self.n_domains)
        notes = [*statistics.notes, *faults]
        if self.options.clusterer == "knn":
            notes.append("clusterer 'knn': nearest neighbours need labels; k-means, which the paper means, was used")
        found = self.report(domain, features, frames, clustering, previous)
        return replace(found, notes=(*notes, *found.notes))

    def style_features(self, style: Style) -> Float[ndarray, "n c"]:
        """Return the stacked means and variances, reduced to `pca` dimensions."""
        means = style.select(style.names("mean"))
        spreads = style.select(style.names("variance"))
        if self.options.spread == "std":
            spreads = np.sqrt(spreads)
        return principal_components(np.concatenate([means, spreads], axis=1), self.options.pca)
