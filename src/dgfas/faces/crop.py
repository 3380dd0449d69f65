"""Cut a face out of its image as a square of fixed size."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from dgfas.faces.detection import Face


def crop_transform(face: Face, margin: float, align: str, size: int) -> Float[np.ndarray, "2 3"]:
    """Return the affine map from image pixels to crop pixels.

    The crop is a square around the middle of the face's box. Its side is the box's longer side times
    (1 + 2 * margin). `align="eyes"` also turns it so that the line through the eyes is level; "none" does not.
    """
    angle = face.eye_slope if align == "eyes" else 0.0
    turn = cv2.getRotationMatrix2D(face.centre, angle, size / (face.side * (1 + 2 * margin)))
    transform = np.asarray(turn, dtype=np.float64)
    transform[:, 2] += size / 2 - np.asarray(face.centre)
    return transform


def crop(
    image: UInt8[np.ndarray, "h w 3"], transform: Float[np.ndarray, "2 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return the crop; beyond the image's border its outermost pixels repeat.

    A face larger than the crop is cut out at its own resolution first and then averaged down, without aliasing.
    """
    scale = float(np.sqrt(np.linalg.det(transform[:, :2])))
    enlarged = max(1, round(1 / scale))
    full = cv2.warpAffine(
        image, transform * enlarged, (size * enlarged, size * enlarged), borderMode=cv2.BORDER_REPLICATE
    )
    return full if enlarged == 1 else cv2.resize(full, (size, size), interpolation=cv2.INTER_AREA)


def into_crop(landmarks: Float[np.ndarray, "468 3"], transform: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "468 3"]:
    """Return surface points in crop pixels, z scaled alike."""
    scale = np.sqrt(np.linalg.det(transform[:, :2]))
    return np.column_stack([landmarks[:, :2] @ transform[:, :2].T + transform[:, 2], landmarks[:, 2] * scale])
