"""Find faces in an image with BlazeFace (short range): boxes, scores and six keypoints."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from dgfas.faces.network import Network

INPUT_SIDE = 128
#: (cells a side, anchors a cell) of the two output grids; all anchors lie in the middle of their cell.
GRIDS = ((16, 2), (8, 6))
OVERLAP_OF_ONE_FACE = 0.3  # boxes that overlap more than this (intersection over union) are the same face


@dataclass(frozen=True)
class Face:
    """A face in pixels of its image, x to the right, y down.

    `box` is (left, top, right, bottom). `keypoints (k, 2)`: the eye on the image's left, the eye on its right, then
    nose tip, mouth, and the two ears; None where the box was given, not found. `score` is in [0, 1].
    """

    box: tuple[float, float, float, float]
    score: float
    keypoints: Float[np.ndarray, "k 2"] | None = None

    @property
    def side(self) -> float:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @property
    def centre(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def eye_slope(self) -> float:
        """The angle in degrees of the line through the eyes, clockwise positive; 0 where they are not known."""
        if self.keypoints is None:
            return 0.0
        across, down = self.keypoints[1] - self.keypoints[0]
        return float(np.degrees(np.arctan2(down, across)))


class FaceDetector:
    """BlazeFace: upright faces, leaning by up to about 45 degrees.

    Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
    """

    def __init__(self, least_score: float = 0.5) -> None:
        self.least_score = least_score
        self._network = Network("blazeface")
        self._anchors = anchor_centres()

    def detect(self, image: UInt8[np.ndarray, "h w 3"]) -> list[Face]:
        """Return the faces in an RGB image, largest first: those of at least about an eighth of its longer side."""
        return self._separate_faces(*self._candidates(image))

    def detect_small(self, image: UInt8[np.ndarray, "h w 3"]) -> list[Face]:
        """Return faces down to half that size, largest first, by looking at overlapping squares of half the side."""
        tile = max(2, max(image.shape[:2]) // 2)
        found = []
        for top in range(0, max(1, image.shape[0] - tile // 2), tile // 2):
            for left in range(0, max(1, image.shape[1] - tile // 2), tile // 2):
                points, scores = self._candidates(image[top : top + tile, left : left + tile])
                found.append((points + np.array((left, top)), scores))
        points, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return self._separate_faces(points, scores)

    def _candidates(
        self, image: UInt8[np.ndarray, "h w 3"]
    ) -> tuple[Float[np.ndarray, "n 8 2"], Float[np.ndarray, " n"]]:
        """Return box corners and keypoints in image pixels, and scores, of the anchors that see a face."""
        height, width = image.shape[:2]
        scale = INPUT_SIDE / max(height, width)
        small_width, small_height = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk = cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA)
        left, top = (INPUT_SIDE - small_width) // 2, (INPUT_SIDE - small_height) // 2
        square = np.zeros((INPUT_SIDE, INPUT_SIDE, 3), np.float32)
        square[top : top + small_height, left : left + small_width] = shrunk
        regressors, logits = self._network(square / 127.5 - 1)
        points, scores = decode(regressors, logits, self._anchors)
        seen = scores >= self.least_score
        in_image = (points[seen] * INPUT_SIDE - (left, top)) * (width / small_width, height / small_height)
        return in_image, scores[seen]

    def _separate_faces(self, points: Float[np.ndarray, "n 8 2"], scores: Float[np.ndarray, " n"]) -> list[Face]:
        rectangles = np.concatenate([points[:, 0], points[:, 1] - points[:, 0]], axis=1)
        kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), self.least_score, OVERLAP_OF_ONE_FACE)
        faces = [
            Face(tuple(points[index, :2].ravel().tolist()), float(scores[index]), points[index, 2:])
            for index in np.asarray(kept, dtype=int).ravel()
        ]
        return sorted(faces, key=lambda face: face.side, reverse=True)


def anchor_centres() -> Float[np.ndarray, "896 2"]:
    """Return the centres (x, y) in [0, 1] of BlazeFace's anchors, row by row, the finer grid first."""
    centres = []
    for cells, per_cell in GRIDS:
        middles = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(centres)


def decode(
    regressors: Float[np.ndarray, "896 16"], logits: Float[np.ndarray, "896 1"], anchors: Float[np.ndarray, "896 2"]
) -> tuple[Float[np.ndarray, "896 8 2"], Float[np.ndarray, "896"]]:
    """Turn the network's outputs into points in units of the square input, and scores in [0, 1].

    Row 0 and 1 of the points are the box's upper left and lower right corner, the other six are the keypoints.
    The network gives centre, size and keypoints in input pixels, relative to the anchor.
    """
    values = regressors.reshape(-1, 8, 2).astype(np.float64) / INPUT_SIDE
    centre, half = anchors + values[:, 0], values[:, 1] / 2
    points = np.concatenate([(centre - half)[:, None], (centre + half)[:, None], anchors[:, None] + values[:, 2:]], 1)
    return points, 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -80, 80)))
