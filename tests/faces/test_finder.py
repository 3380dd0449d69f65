"""From whole images to crops with depth, on the astronaut."""

import cv2
import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.faces.detection import FaceDetector
from dgfas.faces.finder import NO_FACE, FaceFinder
from dgfas.faces.options import PrepareOptions


@pytest.fixture(scope="module")
def finder(models: None) -> FaceFinder:
    return FaceFinder(PrepareOptions(size=128))


def test_every_variant_gives_much_the_same_crop(finder: FaceFinder, variants: dict[str, np.ndarray]) -> None:
    reference = finder.find(variants["original"])
    assert reference.image is not None
    assert reference.depth is not None
    for name in ("quarter brightness", "128 pixels", "JPEG quality 20", "blurred"):
        found = finder.find(variants[name])
        assert found.image is not None
        assert found.image.shape == (128, 128, 3)
        assert found.image.dtype == np.uint8
        assert found.faces_found == 1
        assert found.reason is None
        assert correlation(found.image, reference.image) > 0.85, name
        assert correlation(found.depth, reference.depth) > 0.95, name


def correlation(one: np.ndarray | None, other: np.ndarray | None) -> float:
    assert one is not None
    assert other is not None
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_mirrored_photo_has_the_mirrored_depth(finder: FaceFinder, variants: dict[str, np.ndarray]) -> None:
    original, mirrored = finder.find(variants["original"]), finder.find(variants["mirrored"])
    assert original.depth is not None
    assert mirrored.depth is not None
    assert correlation(original.depth, mirrored.depth[:, ::-1]) > 0.97
    assert correlation(original.depth, mirrored.depth) < correlation(original.depth, mirrored.depth[:, ::-1])
    assert original.angles is not None
    assert mirrored.angles is not None
    assert original.angles[2] == pytest.approx(-mirrored.angles[2], abs=2)


def test_aligned_eyes_undo_the_tilt(models: None, variants: dict[str, np.ndarray]) -> None:
    aligned = FaceFinder(PrepareOptions(size=128, align="eyes"))
    upright, tilted = (aligned.find(variants[name]).image for name in ("original", "rotated 25 degrees"))
    assert correlation(upright, tilted) > 0.85
    plain = FaceFinder(PrepareOptions(size=128))
    upright, tilted = (plain.find(variants[name]).image for name in ("original", "rotated 25 degrees"))
    assert correlation(upright, tilted) < 0.7


def test_the_margin_enlarges_the_crop(models: None, astronaut: np.ndarray) -> None:
    tight = FaceFinder(PrepareOptions(size=128, margin=0)).find(astronaut)
    wide = FaceFinder(PrepareOptions(size=128, margin=0.5)).find(astronaut)
    assert tight.image is not None
    assert wide.image is not None
    shrunk = cv2.resize(tight.image, (64, 64), interpolation=cv2.INTER_AREA)
    assert correlation(wide.image[32:96, 32:96], shrunk) > 0.97
    assert tight.depth is not None
    assert wide.depth is not None
    assert (wide.depth > 0).sum() == pytest.approx((tight.depth > 0).sum() / 4, rel=0.15)


def test_of_several_faces_the_largest_is_taken(finder: FaceFinder, astronaut: np.ndarray) -> None:
    portrait = astronaut[40:220, 130:320]
    canvas = np.full((400, 600, 3), 90, np.uint8)
    canvas[30:210, 10:200] = portrait
    large = cv2.resize(portrait, None, fx=1.7, fy=1.7)
    canvas[60 : 60 + large.shape[0], 240 : 240 + large.shape[1]] = large
    found = finder.find(canvas)
    assert found.faces_found == 2
    assert found.box is not None
    assert found.box[0] > 240


def test_what_the_mesh_does_not_confirm_is_no_face(
    finder: FaceFinder, detector: FaceDetector, astronaut: np.ndarray
) -> None:
    shifted = np.roll(astronaut, 6, axis=1)  # here the detector takes the spacesuit for a second, larger face
    assert len(detector.detect(shifted)) == 2
    found = finder.find(shifted)
    assert found.faces_found == 1
    assert found.box is not None
    assert found.box[0] == pytest.approx(186, abs=10)


def test_small_faces_are_found_in_large_images(finder: FaceFinder, astronaut: np.ndarray) -> None:
    canvas = np.full((960, 1280, 3), 90, np.uint8)
    canvas[500:660, 900:1060] = astronaut[60:220, 150:310]
    found = finder.find(canvas)
    assert found.faces_found == 1
    assert found.box is not None
    assert found.box[0] == pytest.approx(900 + 180 - 150, abs=15)


def test_no_face_is_an_answer_with_a_reason(finder: FaceFinder, astronaut: np.ndarray) -> None:
    for image in (astronaut[300:], np.zeros((100, 100, 3), np.uint8)):
        found = finder.find(image, position=7)
        assert (found.position, found.image, found.faces_found, found.box, found.reason) == (7, None, 0, None, NO_FACE)


def test_the_whole_image_is_the_face_of_detector_none(models: None, astronaut: np.ndarray) -> None:
    face = astronaut[60:190, 160:290]
    found = FaceFinder(PrepareOptions(size=130, detector="none")).find(face)
    assert found.image is not None
    np.testing.assert_array_equal(found.image, face)
    assert found.depth is not None
    assert found.depth.max() == 1
    flat = FaceFinder(PrepareOptions(size=130, detector="none")).find(np.full((64, 64, 3), 90, np.uint8))
    assert flat.image is not None
    assert flat.depth is None


def test_a_given_box_is_cut_out(models: None, astronaut: np.ndarray) -> None:
    finder = FaceFinder(PrepareOptions(size=100, margin=0, detector="given"))
    found = finder.find(astronaut, 0, lambda *_: (176.0, 70.0, 276.0, 170.0))
    assert found.image is not None
    np.testing.assert_array_equal(found.image, astronaut[70:170, 176:276])
    assert found.depth is not None
    assert finder.find(astronaut, 1, lambda *_: None).reason == NO_FACE


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stride": 0}, "stride is 0"),
        ({"frames_per_recording": 0}, "frames_per_recording is 0"),
        ({"margin": -0.1}, "margin is -0.1"),
        ({"size": 8}, "size is 8"),
        ({"depth_size": 512}, "depth_size is 512"),
        ({"detector": "blaze"}, "did you mean 'blazeface'"),
        ({"align": "eye"}, "did you mean 'eyes'"),
        ({"align": "eyes", "detector": "none"}, "needs the eyes"),
        ({"max_rejected": -1}, "max_rejected is -1"),
    ],
)
def test_options_out_of_range_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        PrepareOptions(**values)  # type: ignore[arg-type]
