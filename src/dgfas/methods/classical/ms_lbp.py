"""MS-LBP: micro-texture of one grey face at three scales, and an RBF SVM.

After Maatta, Hadid and Pietikainen, "Face spoofing detection from single images using micro-texture analysis" (2011).
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from dgfas.methods.classical.base import ClassicalMethod
from dgfas.methods.classical.lbp import code_histogram, grey_face, lbp_codes

SIDE = 64
#: Three blocks of 30 pixels, 16 apart, cover the 62 pixels that have a code, with an overlap of 14.
BLOCK = 30
BLOCK_STARTS = (0, 16, 32)


class MsLbp(ClassicalMethod):
    """9 histograms of LBP (8,1) over overlapping blocks, one of (8,2) and one of (16,2): 531 + 59 + 243 = 833."""

    dimensions = 833

    def features(self, faces: Iterable[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, "833"]:
        """Return the eleven histograms of one face, each summing to 1: blocks row by row, then (8,2), then (16,2)."""
        (face,) = faces
        grey = grey_face(face, SIDE)
        codes = lbp_codes(grey, points=8, radius=1)
        blocks = [codes[y : y + BLOCK, x : x + BLOCK] for y in BLOCK_STARTS for x in BLOCK_STARTS]
        histograms = [code_histogram(block, points=8) for block in blocks]
        for points in (8, 16):
            histograms.append(code_histogram(lbp_codes(grey, points, radius=2), points))
        return np.concatenate(histograms)
