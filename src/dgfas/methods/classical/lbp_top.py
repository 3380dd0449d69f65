"""LBP-TOP: texture of a recording in space and in time, and an RBF SVM.

After de Freitas Pereira, Komulainen, Anjos, De Martino, Hadid, Pietikainen and Marcel, "Face liveness detection using
dynamic texture" (2014).
"""

from collections import deque
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from dgfas.methods.classical.base import ClassicalMethod
from dgfas.methods.classical.lbp import grey_face, lbp_codes, n_codes

SIDE = 64
POINTS = 8
RADIUS = 1  # in x, y and t
SPAN = 2 * RADIUS + 1  # frames that the circles of one moment touch


class LbpTop(ClassicalMethod):
    """A histogram of LBP (8,1) over all voxels of a recording for each of the planes XY, XT and YT: 3 x 59 = 177."""

    dimensions = 177
    needs_consecutive_frames = True
    least_frames = SPAN

    def features(self, faces: Iterable[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, "177"]:
        """Return the histograms of XY, XT and YT over consecutive frames in temporal order, each summing to 1.

        At most three frames are held at a time. Raises ValueError if there are fewer than three.
        """
        counts = np.zeros((3, n_codes(POINTS)))
        window: deque[UInt8[ndarray, "side side"]] = deque(maxlen=SPAN)
        for face in faces:
            window.append(grey_face(face, SIDE))
            if len(window) == SPAN:
                counts += plane_counts(np.stack(window))
        if not counts.any():
            raise ValueError(f"LBP-TOP needs at least {SPAN} consecutive frames")
        return (counts / counts.sum(axis=1, keepdims=True)).ravel()


def plane_counts(volume: UInt8[ndarray, "3 h w"]) -> Int[ndarray, "3 59"]:
    """Count the codes in XY, XT and YT of the inner pixels of the middle one of three frames."""
    in_xy = lbp_codes(volume[RADIUS], POINTS, RADIUS)
    in_xt = _codes_of_slices(volume.transpose(1, 0, 2))
    in_yt = _codes_of_slices(volume.transpose(2, 0, 1))
    return np.stack([np.bincount(codes.ravel(), minlength=n_codes(POINTS)) for codes in (in_xy, in_xt, in_yt)])


def _codes_of_slices(slices: UInt8[ndarray, "n 3 m"]) -> Int[ndarray, "n-2 m-2"]:
    """Return the codes of the middle row of each slice but the first and last: the slices lie below each other."""
    n, span, m = slices.shape
    return lbp_codes(slices.reshape(n * span, m), POINTS, RADIUS)[::span][RADIUS:-RADIUS]
