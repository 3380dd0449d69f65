"""Trivial probes: what a linear rule reads from colour, brightness, sharpness or the border of a crop alone.

A simulated data set on which these come near the network is solved by a cue that has nothing to do with attacks.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from skimage.feature import local_binary_pattern
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dgfas.evaluation.metrics import auc

Crops = UInt8[ndarray, "n s s 3"]
Features = Float[ndarray, "n f"]

HISTOGRAM_BINS = 16
THUMBNAIL_SIDE = 16  # pixels
BORDER_SHARE = 1 / 16  # of the side


def histogram(crops: Crops) -> Features:
    """Return the share of pixels in 16 bins of each of red, green and blue, (N, 48)."""
    pixels = crops.shape[1] * crops.shape[2]
    edges = np.linspace(0, 256, HISTOGRAM_BINS + 1)
    rows = [[np.histogram(crop[..., channel], edges)[0] for channel in range(3)] for crop in crops]
    return np.array(rows).reshape(len(crops), -1) / pixels


def thumbnail(crops: Crops) -> Features:
    """Return the crop at 16 x 16 pixels, (N, 768)."""
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.stack([cv2.resize(crop, size, interpolation=cv2.INTER_AREA).ravel() for crop in crops]) / 255.0


def sharpness(crops: Crops) -> Features:
    """Return the logarithm of the variance of the Laplacian of the grey image, (N, 1)."""
    variances = [cv2.Laplacian(_grey(crop).astype(np.float32), cv2.CV_32F).var() for crop in crops]
    return np.log(np.array(variances) + 1e-3)[:, None]


def border(crops: Crops) -> Features:
    """Return the outermost sixteenth of the crop on each side, where no face is, (N, pixels * 3)."""
    side = crops.shape[1]
    width = round(side * BORDER_SHARE)
    outside = np.ones((side, side), bool)
    outside[width:-width, width:-width] = False
    return crops[:, outside].reshape(len(crops), -1) / 255.0


def lbp(crops: Crops) -> Features:
    """Return histograms of uniform local binary patterns of 8 points at radius 1 and 16 at radius 2, (N, 28)."""
    rows = []
    for crop in crops:
        parts = []
        for points, radius in ((8, 1), (16, 2)):
            codes = local_binary_pattern(_grey(crop), points, radius, "uniform")
            parts.append(np.histogram(codes, points + 2, (0, points + 2), density=True)[0])
        rows.append(np.concatenate(parts))
    return np.stack(rows)


def _grey(crop: UInt8[ndarray, "s s 3"]) -> UInt8[ndarray, "s s"]:
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))


#: Probes that must stay behind the network, and the one of texture that may be strong.
TRIVIAL_PROBES: dict[str, Callable[[Crops], Features]] = {
    "histogram": histogram,
    "thumbnail": thumbnail,
    "sharpness": sharpness,
    "border": border,
}
TEXTURE_PROBES: dict[str, Callable[[Crops], Features]] = {"lbp": lbp}
PROBES = TRIVIAL_PROBES | TEXTURE_PROBES


def probe_auc(
    features: Features, is_live: ndarray, target_features: Features, target_is_live: ndarray, strength: float = 0.05
) -> float:
    """Return the AUC in [0, 1] on the target of a logistic regression trained on other domains.

    `strength` is the inverse of its L2 penalty. Below 0.5 the cue is there with another sign; see `folded`.
    """
    rule = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    rule.fit(features, is_live)
    return auc(rule.decision_function(target_features), target_is_live)


def folded(area: float) -> float:
    """Return max(AUC, 1 - AUC): a cue of flipped sign is a cue too."""
    return max(area, 1 - area)
