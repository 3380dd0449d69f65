import cv2
import numpy as np
import pytest

from dgfas.faces.crop import crop, crop_transform, into_crop
from dgfas.faces.detection import Face

EYES = np.array([[30.0, 50.0], [70.0, 70.0], [50, 70], [50, 80], [20, 60], [80, 70]])


def test_the_box_with_its_margin_fills_the_crop() -> None:
    face = Face((20.0, 40.0, 60.0, 70.0), 1.0)  # 40 wide, 30 high, middle (40, 55)
    transform = crop_transform(face, margin=0.25, align="none", size=120)
    corners = np.array([[10, 25, 1], [70, 85, 1], [40, 55, 1]])  # a square of 40 * 1.5 around the middle
    np.testing.assert_allclose(corners @ transform.T, [[0, 0], [120, 120], [60, 60]], atol=1e-9)


def test_aligned_eyes_are_level() -> None:
    face = Face((20.0, 30.0, 80.0, 90.0), 1.0, EYES)
    transform = crop_transform(face, 0.2, "eyes", 256)
    left, right = EYES[:2] @ transform[:, :2].T + transform[:, 2]
    assert left[1] == pytest.approx(right[1])
    assert left[0] < right[0]
    middle = np.array([50, 60, 1]) @ transform.T
    np.testing.assert_allclose(middle, [128, 128])


def test_cropping_is_lossless_at_its_own_scale() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 110, 3), np.uint8)
    transform = crop_transform(Face((20.0, 30.0, 84.0, 94.0), 1.0), 0.0, "none", 64)
    cut = crop(image, transform, 64)
    np.testing.assert_array_equal(cut[:60], image[30:90, 20:84])
    np.testing.assert_array_equal(cut[60:], np.repeat(image[89:90, 20:84], 4, axis=0))  # the border repeats


def test_a_large_face_is_averaged_down() -> None:
    checkers = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(checkers[..., None], 3, axis=2)
    transform = crop_transform(Face((0.0, 0.0, 512.0, 512.0), 1.0), 0.0, "none", 64)
    assert np.abs(crop(image, transform, 64)[4:-4, 4:-4].astype(int) - 127).max() <= 2


def test_surface_points_follow_their_pixels() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(image, (120, 90), 3, (255, 255, 255), -1)
    face = Face((60.0, 40.0, 160.0, 140.0), 1.0, EYES + 50)
    transform = crop_transform(face, 0.1, "eyes", 240)
    rows, columns = np.nonzero(crop(image, transform, 240)[..., 0] > 128)
    point = into_crop(np.array([[120.0, 90.0, -10.0]] * 468), transform)[0]
    assert point[:2] == pytest.approx((columns.mean(), rows.mean()), abs=0.5)
    assert point[2] == pytest.approx(-20)  # twice as large: 240 pixels for a side of 120
