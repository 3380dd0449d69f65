"""Box decoding against plain loops, and the astronaut's face found in every variant."""

import math

import cv2
import numpy as np
import pytest

from dgfas.faces.detection import Face, FaceDetector, anchor_centres, decode

#: Middle and side of the box around the astronaut's face in pixels, as seen by eye.
FACE_X, FACE_Y, FACE_SIDE = 226, 130, 95


def place_of(variant: str) -> tuple[float, float, float]:
    """Where the face must be in a variant of the photo."""
    if variant == "mirrored":
        return 511 - FACE_X, FACE_Y, FACE_SIDE
    if variant == "128 pixels":
        return FACE_X / 4, FACE_Y / 4, FACE_SIDE / 4
    if variant == "rotated 25 degrees":
        x, y = cv2.getRotationMatrix2D((256, 256), 25, 1) @ (FACE_X, FACE_Y, 1)
        return float(x), float(y), FACE_SIDE
    return FACE_X, FACE_Y, FACE_SIDE


def test_anchors_are_two_a_cell_of_16_and_six_a_cell_of_8() -> None:
    expected = []
    for cells, per_cell in ((16, 2), (8, 6)):
        for row in range(cells):
            for column in range(cells):
                for _ in range(per_cell):
                    expected.append(((column + 0.5) / cells, (row + 0.5) / cells))
    assert len(expected) == 896
    np.testing.assert_allclose(anchor_centres(), expected)


def test_decoding_against_plain_loops() -> None:
    random = np.random.default_rng(0)
    regressors, logits = random.normal(0, 20, (896, 16)).astype(np.float32), random.normal(0, 5, (896, 1))
    anchors = anchor_centres()
    points, scores = decode(regressors, logits.astype(np.float32), anchors)
    for index in (0, 511, 512, 895):
        values = [float(value) / 128 for value in regressors[index]]
        x, y = anchors[index]
        expected = [
            (x + values[0] - values[2] / 2, y + values[1] - values[3] / 2),
            (x + values[0] + values[2] / 2, y + values[1] + values[3] / 2),
        ]
        expected += [(x + values[place], y + values[place + 1]) for place in range(4, 16, 2)]
        np.testing.assert_allclose(points[index], expected, rtol=1e-6)
        assert scores[index] == pytest.approx(1 / (1 + math.exp(-logits[index, 0])), rel=1e-5)


def test_the_face_is_found_in_every_variant(detector: FaceDetector, variants: dict[str, np.ndarray]) -> None:
    for name, image in variants.items():
        face = best(detector.detect(image))
        x, y, side = place_of(name)
        assert face.score > 0.8, name
        assert math.dist(face.centre, (x, y)) < 0.15 * side, name
        assert face.side == pytest.approx(side, rel=0.2), name
        left_eye, right_eye, nose = face.keypoints[0], face.keypoints[1], face.keypoints[2]
        assert left_eye[0] < nose[0] < right_eye[0], name
        assert face.eye_slope == pytest.approx(-20 if name == "rotated 25 degrees" else 0, abs=12), name


def best(faces: list[Face]) -> Face:
    return max(faces, key=lambda face: face.score)


def test_a_wide_and_a_tall_image(detector: FaceDetector, astronaut: np.ndarray) -> None:
    wide = np.hstack([np.zeros((512, 300, 3), np.uint8), astronaut])
    assert best(detector.detect(wide)).centre == pytest.approx((FACE_X + 300, FACE_Y), abs=0.25 * FACE_SIDE)
    tall = np.vstack([np.zeros((301, 512, 3), np.uint8), astronaut])
    assert best(detector.detect(tall)).centre == pytest.approx((FACE_X, FACE_Y + 301), abs=0.25 * FACE_SIDE)


def test_several_faces_come_largest_first(detector: FaceDetector, astronaut: np.ndarray) -> None:
    portrait = astronaut[40:220, 130:320]
    canvas = np.full((400, 600, 3), 90, np.uint8)
    canvas[30:210, 10:200] = portrait
    large = cv2.resize(portrait, None, fx=1.7, fy=1.7)
    canvas[60 : 60 + large.shape[0], 240 : 240 + large.shape[1]] = large
    faces = [face for face in detector.detect(canvas) if face.score > 0.6]
    assert len(faces) == 2
    assert faces[0].side > 1.4 * faces[1].side
    assert faces[0].centre[0] > 300 > faces[1].centre[0]


def test_small_faces_need_the_second_look(detector: FaceDetector, astronaut: np.ndarray) -> None:
    canvas = np.full((960, 1280, 3), 90, np.uint8)
    canvas[500:660, 900:1060] = astronaut[60:220, 150:310]
    assert detector.detect(canvas) == []
    (face,) = detector.detect_small(canvas)
    assert face.centre == pytest.approx((900 + FACE_X - 150, 500 + FACE_Y - 60), abs=15)


def test_no_face_in_noise_or_nothing(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    for image in (noise, np.zeros((1, 1, 3), np.uint8), np.full((480, 2, 3), 200, np.uint8)):
        assert detector.detect(image) == []
        assert detector.detect_small(image) == []
