"""Colour texture: LBP of every channel of HSV and YCbCr, and an RBF SVM.

After Boulkenafet, Komulainen and Hadid, "Face spoofing detection using colour texture analysis" (2016).
"""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from dgfas.data.colour import to_size
from dgfas.methods.classical.base import ClassicalMethod
from dgfas.methods.classical.lbp import code_histogram, lbp_codes

SIDE = 64


class ColorTexture(ClassicalMethod):
    """A histogram of LBP (8,1) for each of H, S, V, Y, Cb and Cr: 6 x 59 = 354."""

    dimensions = 354

    def features(self, faces: Iterable[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, "354"]:
        """Return the six histograms of one face, each summing to 1, in the order H, S, V, Y, Cb, Cr."""
        (face,) = faces
        channels = hsv_and_ycbcr(to_size(face, SIDE))
        return np.concatenate([code_histogram(lbp_codes(channel, 8, 1), 8) for channel in channels])


def hsv_and_ycbcr(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "6 h w"]:
    """Return H, S, V, Y, Cb, Cr of an image as OpenCV converts bytes (H spans 0..179, the others 0..255)."""
    hue, saturation, value = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV))
    luma, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    return np.stack([hue, saturation, value, luma, cb, cr])
