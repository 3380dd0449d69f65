"""What a frame must have to be scored; whatever lacks it is an answer of its own."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.deployment.answer import Box, Reason
from dgfas.faces.finder import FaceCrop


@dataclass(frozen=True)
class Limits:
    """Below these there is no decision. The values are ours. Raises UserError if one is out of range.

    - `least_face_side`: of the longer side of the face's box, in pixels of the image.
    - `least_luma`: the brightest tenth of the face's pixels must reach it, from 0 to 255. Not the mean, which would
      refuse dark skin in good light: a lit face of any colour has highlights.
    - `most_outside`: share of the face's box that may lie outside of the image.
    - `least_share_scored`: share of the frames of a recording that must have been scored.
    """

    least_face_side: float = 48.0
    least_luma: float = 48.0
    most_outside: float = 0.05
    least_share_scored: float = 0.5

    def __post_init__(self) -> None:
        for name, most in (
            ("least_face_side", 1e5),
            ("least_luma", 255),
            ("most_outside", 1),
            ("least_share_scored", 1),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise UserError(f"limit {name} is {getattr(self, name)}; it must be from 0 to {most:g}")

    def fault(self, image: UInt8[np.ndarray, "h w 3"], found: FaceCrop, *, is_crop: bool) -> Reason | None:
        """Return why the face in an RGB image cannot be scored; None if it can.

        More than one face is a fault, whichever is larger: nobody says whose presentation it is. An image that
        `is_crop` already must only be bright enough.
        """
        if found.image is None or found.box is None:
            return Reason.NO_FACE
        if not is_crop:
            if found.faces_found > 1:
                return Reason.SEVERAL_FACES
            if share_outside(found.box, image.shape[1], image.shape[0]) > self.most_outside:
                return Reason.CUT_OFF
            left, top, right, bottom = found.box
            if max(right - left, bottom - top) < self.least_face_side:
                return Reason.TOO_SMALL
        return Reason.TOO_DARK if highlights(image, found.box) < self.least_luma else None


def share_outside(box: Box, width: int, height: int) -> float:
    """Return the share of the area of a box, in pixels, that lies outside of an image; 1 for an empty box."""
    left, top, right, bottom = box
    area = (right - left) * (bottom - top)
    inside = max(0.0, min(right, width) - max(left, 0.0)) * max(0.0, min(bottom, height) - max(top, 0.0))
    return 1.0 if area <= 0 else 1 - inside / area


def highlights(image: UInt8[np.ndarray, "h w 3"], box: Box) -> float:
    """Return the luma, 0 to 255, that a tenth of the pixels inside a box reach; 0 where the box misses the image."""
    height, width = image.shape[:2]
    left, right = (int(np.clip(round(x), 0, width)) for x in box[::2])
    top, bottom = (int(np.clip(round(y), 0, height)) for y in box[1::2])
    if right <= left or bottom <= top:
        return 0.0
    luma = cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    return float(np.percentile(luma, 90))
