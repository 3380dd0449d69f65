"""The six input channels: RGB and HSV."""

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image


def rgb_and_hsv(rgb: UInt8[ndarray, "h w 3"], hsv: str = "pillow") -> UInt8[ndarray, "6 h w"]:
    """Stack an RGB image and its HSV form, channels first.

    `hsv="pillow"` is what RFM's released code feeds: Pillow's conversion, H, S and V each 0..255.
    `hsv="cv2"` is ANRL's: OpenCV's conversion, H 0..179, S and V 0..255. Raises ValueError for another.
    """
    if hsv == "pillow":
        converted = np.asarray(Image.fromarray(rgb).convert("HSV"))
    elif hsv == "cv2":
        converted = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    else:
        raise ValueError(f"hsv must be 'pillow' or 'cv2', not {hsv!r}")
    return np.concatenate([rgb, converted], axis=2).transpose(2, 0, 1)


def to_size(rgb: UInt8[ndarray, "h w 3"], side: int) -> UInt8[ndarray, "side side 3"]:
    """Resize a square crop to `side` pixels: by area when it shrinks, bilinear when it grows."""
    if rgb.shape[0] == side and rgb.shape[1] == side:
        return rgb
    shrinks = rgb.shape[0] > side
    return cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
