"""From style statistics to cluster numbers: checks, scaling, principal components, k-means, Gaussian mixtures."""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.domains.style import Style

Clusterer = Literal["kmeans", "gmm"]

#: Columns that vary less than this across frames are not blown up to unit variance: noise is no style.
LEAST_DEVIATION = 1e-3
#: k-means and the mixture start this many times; the best start counts.
STARTS = 5


def check_enough(live: Bool[ndarray, " n"], k: int) -> None:
    """Raise UserError if a class has fewer frames than there shall be domains."""
    for label in (Label.LIVE, Label.SPOOF):
        count = int((live == (label is Label.LIVE)).sum())
        if count < k:
            raise UserError(
                f"domains.k: {k} domains cannot be made of {count} {label.word} training frames; "
                f"set domains.k to at most {count}, or add frames"
            )


def check_finite(style: Style, clustering: int) -> None:
    """Raise UserError naming the block of columns if a statistic is NaN or infinite."""
    for name, _ in style.blocks:
        broken = int((~np.isfinite(style.block(name))).any(axis=1).sum())
        if broken:
            raise UserError(
                f"clustering {clustering}: the statistics {name!r} of {broken} of {len(style.features)} frames are NaN "
                "or infinite; the network has diverged, lower options.learning_rate"
            )


def standardised(features: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """Return the columns with mean 0 and standard deviation 1; nearly constant columns are divided by a floor."""
    centred = _centred(features)
    deviation = np.sqrt(np.mean(np.square(centred), axis=0, dtype=np.float64))
    centred /= np.maximum(deviation, LEAST_DEVIATION).astype(features.dtype)
    return centred


def _centred(features: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    mean: ndarray = features.mean(axis=0, dtype=np.float64)
    return features - mean.astype(features.dtype)


def principal_components(features: Float[ndarray, "n d"], components: int) -> Float[ndarray, "n c"]:
    """Project onto the first `components` principal axes, or as many as n frames in d dimensions have.

    Exact, from the d x d covariance: time linear in n. PDL-FAS section 3.2.
    """
    centred = _centred(features)
    kept = min(components, len(features) - 1, features.shape[1])
    # One thread: the same sums, bit for bit, on every run. Constant statistics explain 0 of 0 variance.
    with threadpool_limits(1), np.errstate(invalid="ignore"):
        projected: ndarray = PCA(kept, svd_solver="covariance_eigh").fit_transform(centred)
    return projected


def cluster(
    features: Float[ndarray, "n d"], k: int, seed: int, clusterer: Clusterer = "kmeans"
) -> tuple[Int[ndarray, " n"], list[str]]:
    """Return the cluster of each frame in 0..k-1, and notes on what went less than well.

    `gmm` is a mixture of k Gaussians with diagonal covariances. Clusters can be empty where fewer than k frames differ.
    """
    state = seed % 2**32
    with warnings.catch_warnings(record=True) as caught, threadpool_limits(1):
        warnings.simplefilter("always", ConvergenceWarning)
        if clusterer == "kmeans":
            model = KMeans(k, n_init=STARTS, random_state=state)
        else:
            floor = max(1e-6, 1e-3 * float(features.var(axis=0).mean()))
            model = GaussianMixture(k, covariance_type="diag", n_init=STARTS, reg_covar=floor, random_state=state)
        labels = model.fit_predict(features)
    notes = sorted({" ".join(str(warning.message).split()) for warning in caught})
    return labels.astype(np.int64), notes
