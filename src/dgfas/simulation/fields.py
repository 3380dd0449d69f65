"""Small pieces that the renderers share: coordinate planes, bumps, steps and smooth noise.

Coordinates: x to the right, y down, the face crop spans -1..1 in both. Heights rise towards the camera, same unit.
"""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]  # of float32

LUMA = np.array([0.30, 0.59, 0.11], np.float32)


def plane(side: int, extent: float) -> tuple[Field, Field]:
    """Return x and y, each (side, side), of pixel centres that span -extent..extent."""
    ticks = (((np.arange(side) + 0.5) / side * 2 - 1) * extent).astype(np.float32)
    x, y = np.meshgrid(ticks, ticks)
    return x, y


def pixels(coordinate: Field, side: int, extent: float) -> Field:
    """Return the pixel position, for cv2.remap, of a coordinate on a plane of `side` pixels over -extent..extent."""
    return ((coordinate / extent + 1) * (side / 2) - 0.5).astype(np.float32)


def bump(x: Field, y: Field, centre_x: float, centre_y: float, width: float, height: float) -> Field:
    """Return a Gaussian hill of height 1."""
    return np.exp(-(((x - centre_x) / width) ** 2) - ((y - centre_y) / height) ** 2)


def soft_step(distance: Field) -> Field:
    """Return the logistic function: 0 far below zero, 1 far above."""
    return 1 / (1 + np.exp(-np.clip(distance, -30, 30)))


def smooth_noise(rng: np.random.Generator, side: int, cells: int) -> Field:
    """Return (side, side) noise of about unit deviation whose grains are 1/cells of the side."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def over(below: Field, colour: Field | Sequence[float] | float, opacity: Field) -> Field:
    """Lay a colour with an opacity (side, side) over an image (side, side, 3)."""
    alpha = opacity[..., None]
    return below + alpha * (np.asarray(colour, np.float32) - below)


def rotated(x: Field, y: Field, angle_radians: float) -> tuple[Field, Field]:
    """Return the coordinates in axes turned by an angle."""
    cosine, sine = math.cos(angle_radians), math.sin(angle_radians)
    return cosine * x + sine * y, cosine * y - sine * x


def resized(image: Field, side: int) -> Field:
    """Return an image (n, n) or (n, n, 3) of another side: by area when it shrinks, linear when it grows."""
    if image.shape[0] == side:
        return image
    kind = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_LINEAR
    return cv2.resize(image, (side, side), interpolation=kind)


def uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Draw a number between two bounds."""
    return float(rng.uniform(*bounds))
