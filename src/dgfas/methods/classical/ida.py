"""IDA: four kinds of image distortion of a recaptured face, and one SVM for each species of attack.

After Wen, Han and Jain, "Face spoof detection with image distortion analysis" (2015). The 121 numbers, in order:

    0        specular_reflection: share of specular pixels
    1, 2     specular_reflection: mean and deviation of the specular component of these pixels
    3        blurriness: what re-blurring leaves
    4        blurriness: mean edge width, as a share of the width
    5 - 19   chromatic_moments: of H, then S, then V: mean, deviation, skewness, shares in the lowest and highest bin
    20 - 119 colour_diversity: shares of the 100 most frequent of 32 768 colours, falling
    120      colour_diversity: number of distinct colours
"""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from skimage.measure import blur_effect

from dgfas.data.colour import to_size
from dgfas.methods.classical.base import ClassicalMethod, Examples
from dgfas.methods.classical.lbp import grey_face

SIDE = 144
HIGHLIGHT = 0.5  # deviations of min(R, G, B) above its mean at which the specular component begins
LEAST_CLIMB = 26  # grey values that an edge spans, a tenth of the range
HISTOGRAM_BINS = 32  # of a channel of HSV
COLOUR_LEVELS = 32  # of a channel of RGB
TOP_COLOURS = 100


class Ida(ClassicalMethod):
    """Specular reflection 3, blurriness 2, chromatic moments 15, colour diversity 101: 121 numbers."""

    dimensions = 121

    def features(self, faces: Iterable[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, "121"]:
        """Return the 121 numbers of one face, in the order of the module's table."""
        (face,) = faces
        rgb = to_size(face, SIDE)
        grey = grey_face(rgb, SIDE)
        return np.concatenate(
            [specular_reflection(rgb), blurriness(grey), chromatic_moments(rgb), colour_diversity(rgb)]
        )

    def parts(self, training: Examples) -> list[Examples]:
        """Return, for each species in alphabetical order, all live examples and the attacks of that species.

        A species is the part of the column before a slash ("replay" of "replay/phone").
        """
        kind = np.array([str(name).split("/")[0] for name in training.species])
        return [training[training.live | (kind == name)] for name in np.unique(kind[~training.live])]


def specular_reflection(rgb: UInt8[ndarray, "h w 3"]) -> Float[ndarray, "3"]:
    """Return share of specular pixels, and mean and deviation of their specular component, all in [0, 1].

    White light adds equally to R, G and B; so the part of min(R, G, B) above its mean + 0.5 deviations counts as
    specular, zero elsewhere: the modified specular-free image of Shen and Cai (2009). Zeros if no pixel has any.
    """
    smallest = rgb.min(axis=2).astype(np.float64)
    specular = smallest - (smallest.mean() + HIGHLIGHT * smallest.std())
    seen = specular[specular > 0] / 255
    return np.array([seen.size / smallest.size, seen.mean(), seen.std()]) if seen.size else np.zeros(3)


def blurriness(grey: UInt8[ndarray, "h w"]) -> Float[ndarray, "2"]:
    """Return two measures, each 1 for an image without edges: what re-blurring leaves (Crete 2007), and edge width."""
    return np.array([blur_effect(grey), edge_width(grey)])


def edge_width(grey: UInt8[ndarray, "h w"]) -> float:
    """Return the mean number of steps from a row's local minimum to its next maximum or back, as a share of w - 1.

    Only monotone runs that span at least `LEAST_CLIMB` grey values are edges; 1 if there is none. After Marziliano
    et al., "A no-reference perceptual blur metric" (2002).
    """
    steps = np.diff(grey.astype(np.int64), axis=1)
    steps = np.pad(steps, ((0, 0), (0, 1)))  # a level step ends the last run of each row
    sign = np.sign(steps).ravel()
    starts = np.flatnonzero(np.diff(sign, prepend=2))  # the first step of each run of equal sign
    climb = np.add.reduceat(np.abs(steps).ravel(), starts)
    length = np.diff(starts, append=sign.size)
    edge = climb >= LEAST_CLIMB
    return float(length[edge].mean() / (grey.shape[1] - 1)) if edge.any() else 1.0


def chromatic_moments(rgb: UInt8[ndarray, "h w 3"]) -> Float[ndarray, "15"]:
    """Return mean, deviation, skewness and the shares in the lowest and highest of 32 bins of H, S and V in [0, 1].

    Skewness is the third standardised moment, 0 for a channel without variation.
    """
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV).astype(np.float64)
    hsv[:, :, 0] /= 360
    moments = []
    for channel in cv2.split(hsv):
        mean, deviation = channel.mean(), channel.std()
        skewness = ((channel - mean) ** 3).mean() / deviation**3 if deviation > 1e-6 else 0.0
        bins, _ = np.histogram(channel, HISTOGRAM_BINS, range=(0, 1))
        moments += [mean, deviation, skewness, bins[0] / channel.size, bins[-1] / channel.size]
    return np.array(moments)


def colour_diversity(rgb: UInt8[ndarray, "h w 3"]) -> Float[ndarray, "101"]:
    """Return the falling shares of the 100 most frequent colours of 32 levels a channel, and how many there are."""
    level = rgb.reshape(-1, 3).astype(np.int64) // (256 // COLOUR_LEVELS)
    code = (level[:, 0] * COLOUR_LEVELS + level[:, 1]) * COLOUR_LEVELS + level[:, 2]
    counts = np.sort(np.bincount(code, minlength=COLOUR_LEVELS**3))[::-1]
    return np.append(counts[:TOP_COLOURS] / code.size, np.count_nonzero(counts))
