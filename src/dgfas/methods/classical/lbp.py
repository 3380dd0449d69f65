"""Uniform local binary patterns: the codes of a plane, and their normalised histogram.

Ojala, Pietikainen and Maenpaa, "Multiresolution gray-scale and rotation invariant texture classification with local
binary patterns" (2002). A pattern is uniform if its bits change at most twice around the circle; each uniform pattern
has its own code, all others share one.
"""

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from skimage.feature import local_binary_pattern

from dgfas.data.colour import to_size


def n_codes(points: int) -> int:
    """Return how many codes a circle of `points` has: 59 for 8, 243 for 16."""
    return points * (points - 1) + 3


def lbp_codes(plane: UInt8[ndarray, "h w"], points: int, radius: int) -> Int[ndarray, "rows columns"]:
    """Return the code of each pixel whose circle lies inside the plane, in 0 .. n_codes(points) - 1.

    `rows` = h - 2 * radius, `columns` = w - 2 * radius.
    A neighbour's bit is 1 if its bilinearly interpolated value is at least the centre's. Code 0: no bit is set; code
    n_codes - 2: all are (a flat surface or a dark spot); code n_codes - 1: the pattern is not uniform.
    """
    codes = local_binary_pattern(plane, points, radius, method="nri_uniform")
    inside: Int[ndarray, "rows columns"] = codes[radius:-radius, radius:-radius].astype(np.int64)
    return inside


def code_histogram(codes: Int[ndarray, "h w"], points: int) -> Float[ndarray, " n_codes"]:
    """Return the share of each code; the shares sum to 1."""
    shares: Float[ndarray, " n_codes"] = np.bincount(codes.ravel(), minlength=n_codes(points)) / codes.size
    return shares


def grey_face(rgb: UInt8[ndarray, "h w 3"], side: int) -> UInt8[ndarray, "side side"]:
    """Return a square crop in shades of grey (ITU-R BT.601 luma) at `side` pixels."""
    grey: UInt8[ndarray, "side side"] = cv2.cvtColor(to_size(rgb, side), cv2.COLOR_RGB2GRAY)
    return grey
