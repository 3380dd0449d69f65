"""The six channels, against the hexcone formula, Pillow and OpenCV."""

import colorsys
import itertools

import cv2
import numpy as np
import pytest
from PIL import Image

from dgfas.data.colour import rgb_and_hsv, to_size


@pytest.fixture
def all_colours() -> np.ndarray:
    """Return an image of every fifth level of each channel: all hues, from black and grey to saturated."""
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    return np.array(list(itertools.product(levels, repeat=3)), np.uint8).reshape(len(levels), -1, 3)


def test_hsv_is_pillows(all_colours: np.ndarray) -> None:
    channels = rgb_and_hsv(all_colours)
    assert channels.shape == (6, *all_colours.shape[:2])
    assert np.array_equal(channels[:3], all_colours.transpose(2, 0, 1))
    hsv = np.asarray(Image.fromarray(all_colours).convert("HSV"))
    assert np.array_equal(channels[3:], hsv.transpose(2, 0, 1))
    assert channels[3].min() == 0
    assert channels[3].max() == 254  # the red nearest to violet; 255 would be red again
    assert channels[4].max() == channels[5].max() == 255


def test_hsv_follows_the_formula(all_colours: np.ndarray) -> None:
    channels = rgb_and_hsv(all_colours).reshape(6, -1).T
    for r, g, b, *hsv in channels[:: len(channels) // 500]:
        formula = [255 * value for value in colorsys.rgb_to_hsv(r / 255, g / 255, b / 255)]
        assert np.abs(np.array(hsv, float) - formula).max() < 1.5  # Pillow cuts off fractions


def test_the_cv2_variant_has_hues_up_to_179(all_colours: np.ndarray) -> None:
    channels = rgb_and_hsv(all_colours, hsv="cv2")
    assert np.array_equal(channels[3:], cv2.cvtColor(all_colours, cv2.COLOR_RGB2HSV).transpose(2, 0, 1))
    assert channels[3].min() == 0
    assert channels[3].max() == 179
    red_green_blue = rgb_and_hsv(np.diag([255] * 3).astype(np.uint8)[None], hsv="cv2")
    assert red_green_blue[3, 0].tolist() == [0, 60, 120]


def test_another_variant_is_refused(all_colours: np.ndarray) -> None:
    with pytest.raises(ValueError, match="'pillow' or 'cv2', not 'skimage'"):
        rgb_and_hsv(all_colours, hsv="skimage")


def test_resizing_averages_when_it_shrinks_and_interpolates_when_it_grows() -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    assert to_size(image, 12) is image
    means = image.reshape(4, 3, 4, 3, 3).mean(axis=(1, 3))
    assert np.abs(to_size(image, 4) - means).max() <= 0.5
    assert np.array_equal(to_size(image, 18), cv2.resize(image, (18, 18), interpolation=cv2.INTER_LINEAR))
