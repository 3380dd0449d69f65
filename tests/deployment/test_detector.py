"""The detector's answers, with a model file whose score is the brightness of the crop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

import dgfas
from clips import damaged, write_clip
from dgfas.core.errors import UserError
from dgfas.deployment.answer import Answer, Decision, Reason
from dgfas.deployment.detector import Detector
from dgfas.deployment.limits import Limits, highlights, share_outside
from dgfas.evaluation.calibration import Calibration
from dgfas.evaluation.thresholds import Threshold
from dgfas.faces.finder import FaceFinder
from dgfas.faces.options import PrepareOptions
from tiny_model import FRAME_THRESHOLD, RECORDING_THRESHOLD, SIDE, tiny_facts, write_tiny_model

ASTRONAUT = data.astronaut()
NOBODY = np.full((480, 640, 3), 128, np.uint8)
DIM = (ASTRONAUT * 0.25).astype(np.uint8)  # still bright enough to be scored
#: What is shown, and why it is not decided.
UNDECIDED = {
    Reason.NO_FACE: NOBODY,
    Reason.SEVERAL_FACES: np.hstack([ASTRONAUT[:256, 96:352]] * 2),
    Reason.CUT_OFF: ASTRONAUT[:, 195:],
    Reason.TOO_SMALL: cv2.resize(ASTRONAUT, (128, 128), interpolation=cv2.INTER_AREA),
    Reason.TOO_DARK: (ASTRONAUT * 0.15).astype(np.uint8),
}


@pytest.fixture(scope="module")
def detector(models: None, tiny_model: Path) -> Detector:
    return dgfas.Detector.load(tiny_model)


def brightness(image: np.ndarray) -> float:
    """What the tiny model says of an image: cut by the same finder, averaged down, its mean."""
    crop = FaceFinder(PrepareOptions(size=64)).find(image).image
    assert crop is not None
    return float(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA).mean()) / 255


def test_a_face_is_decided_by_the_threshold_of_frames(detector: Detector) -> None:
    bright, dim = detector.score(ASTRONAUT), detector.score(DIM)
    assert bright.score == pytest.approx(brightness(ASTRONAUT), abs=1e-6)
    assert dim.score == pytest.approx(brightness(DIM), abs=1e-6)
    assert dim.score < FRAME_THRESHOLD.value < bright.score
    assert (bright.decision, dim.decision) == (Decision.LIVE, Decision.SPOOF)
    assert bright.threshold == FRAME_THRESHOLD
    assert bright.is_live
    assert not dim.is_live
    left, top, right, bottom = bright.box
    assert 150 < left < 200 < 250 < right < 300
    assert 50 < top < 100 < 150 < bottom < 200


@pytest.mark.parametrize("reason", UNDECIDED)
def test_what_cannot_be_decided_says_why_and_is_not_live(detector: Detector, reason: Reason) -> None:
    answer = detector.score(UNDECIDED[reason])
    assert (answer.decision, answer.reason, answer.score) == (Decision.UNDECIDED, reason, None)
    assert not answer.is_live
    assert (answer.box is None) == (reason is Reason.NO_FACE)
    assert answer.to_dict()["reason"] == reason.value


def test_without_limits_only_a_missing_face_is_undecided(models: None, tiny_model: Path) -> None:
    open_to_all = Detector.load(tiny_model, limits=Limits(0, 0, 1, 0))
    for reason in (Reason.CUT_OFF, Reason.TOO_SMALL, Reason.TOO_DARK):
        assert open_to_all.score(UNDECIDED[reason]).score is not None
    assert open_to_all.score(UNDECIDED[Reason.SEVERAL_FACES]).reason is Reason.SEVERAL_FACES


def test_a_batch_gives_each_image_its_own_answer(detector: Detector) -> None:
    images = [ASTRONAUT, *UNDECIDED.values(), DIM] * 2
    assert detector.score_batch(images) == [detector.score(image) for image in images]
    assert detector.score_batch([]) == []


def test_eight_threads_get_what_one_gets(detector: Detector) -> None:
    images = [ASTRONAUT, DIM, *UNDECIDED.values(), *(np.roll(ASTRONAUT, 9 * k, axis=1) for k in range(9))] * 2
    serial = [detector.score(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(detector.score, images)) == serial
    assert len({answer.score for answer in serial}) > 8


def test_a_video_is_decided_by_the_mean_and_the_threshold_of_recordings(detector: Detector, tmp_path: Path) -> None:
    nobody = np.zeros_like(ASTRONAUT)
    answer = detector.score_video(write_clip(tmp_path / "clip.mp4", [ASTRONAUT] * 4 + [DIM] * 2 + [nobody] * 2))
    scores = [frame.score for frame in answer.frames]
    assert [score is None for score in scores] == [False] * 6 + [True] * 2
    assert answer.score == pytest.approx(sum(scores[:6]) / 6)
    assert scores[0] == pytest.approx(brightness(ASTRONAUT), abs=0.02)
    assert answer.threshold == RECORDING_THRESHOLD
    assert (answer.decision, answer.frames_scored, answer.faces_found) == (Decision.LIVE, 6, 1)
    assert detector.score_video(tmp_path / "clip.mp4", frames=2).frames_scored == 1

    answer = detector.score_video(write_clip(tmp_path / "empty.mp4", [ASTRONAUT] * 3 + [nobody] * 5))
    assert (answer.decision, answer.reason) == (Decision.UNDECIDED, Reason.NO_FACE)  # too few frames were scored


def test_frames_of_a_video_that_cannot_be_decoded_count(detector: Detector, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", [ASTRONAUT] * 16, codec="mjpeg").read_bytes()

    def answer(lost: range) -> Answer:
        (tmp_path / "damaged.avi").write_bytes(damaged(clip, lost))
        return detector.score_video(tmp_path / "damaged.avi")

    few, many = answer(range(12, 16)), answer(range(4, 16))
    assert (few.decision, few.frames_scored, len(few.frames)) == (Decision.LIVE, 6, 8)
    assert [frame.reason for frame in few.frames] == [None] * 6 + [Reason.UNREADABLE] * 2
    assert (many.decision, many.reason, many.frames_scored) == (Decision.UNDECIDED, Reason.UNREADABLE, 2)
    for lost, mistake in ((range(16), "not one frame"), (range(1, 16), "none of its chosen frames")):
        with pytest.raises(UserError, match=f"damaged.avi: {mistake}"):
            answer(lost)
    with pytest.raises(UserError, match="no frame to score"):
        detector.score_video(tmp_path / "clip.avi", frames=0)


def test_photos_folders_and_frames(detector: Detector, tmp_path: Path) -> None:
    for name, image in (("1.png", ASTRONAUT), ("2.png", DIM)):
        cv2.imwrite(str(tmp_path / name), image[..., ::-1])
    (tmp_path / "3.png").write_bytes(b"no picture")
    folder = detector.score_video(tmp_path)
    assert [frame.reason for frame in folder.frames] == [None, None, Reason.UNREADABLE]
    assert folder.frames[:2] == detector.score_frames([ASTRONAUT, DIM]).frames
    photo = detector.score_photo(tmp_path / "1.png")
    assert photo == detector.score(ASTRONAUT)
    assert detector.score_video(tmp_path / "1.png").threshold == photo.threshold
    for call in (lambda: detector.score_frames([]), lambda: detector.score_video(tmp_path / "3.png")):
        with pytest.raises(UserError):
            call()


@pytest.mark.parametrize(
    "image",
    [
        "photo.png",
        ASTRONAUT.astype(np.float32),
        ASTRONAUT[..., 0],
        np.dstack([ASTRONAUT, ASTRONAUT[..., 0]]),
        np.zeros((0, 8, 3), np.uint8),
    ],
    ids=["path", "float", "grey", "alpha", "empty"],
)
def test_what_is_no_image_is_refused(detector: Detector, image: object) -> None:
    with pytest.raises(UserError, match="an image must"):
        detector.score(image)  # type: ignore[arg-type]


def test_crops_are_scored_whole_where_there_is_no_finder(models: None, tiny_model: Path) -> None:
    crop = np.full((64, 64, 3), 200, np.uint8)
    detector = Detector.load(tiny_model, finder="none")
    assert detector.score(crop).score == pytest.approx(200 / 255)
    assert detector.score(crop // 8).reason is Reason.TOO_DARK


def test_the_calibration_of_the_file_is_applied(models: None, tmp_path: Path) -> None:
    calibration = Calibration(4.0, -2.0)
    path = write_tiny_model(tmp_path / "model.onnx", tiny_facts(calibration=calibration))
    expected = 1 / (1 + np.exp(-(4 * brightness(ASTRONAUT) - 2)))
    assert Detector.load(path).score(ASTRONAUT).score == pytest.approx(expected, abs=1e-6)


def test_an_answer_cannot_contradict_itself() -> None:
    threshold = Threshold(0.5, "EER", "somewhere")
    make: Callable[..., Answer] = lambda decision, score, reason: Answer(decision, score, threshold, reason, None, 1)  # noqa: E731
    assert make(Decision.LIVE, 0.5, None).is_live
    for decision, score, reason in (
        (Decision.LIVE, 0.4, None),
        (Decision.LIVE, None, None),
        (Decision.LIVE, None, Reason.NO_FACE),
        (Decision.LIVE, 0.9, Reason.TOO_DARK),
        (Decision.SPOOF, 0.5, None),
        (Decision.UNDECIDED, None, None),
        (Decision.LIVE, 1.5, None),
        (Decision.LIVE, float("nan"), None),
    ):
        with pytest.raises(ValueError, match="contradicts"):
            make(decision, score, reason)


def test_the_measures_of_a_frame() -> None:
    assert share_outside((-10, 0, 10, 20), 100, 100) == pytest.approx(0.5)
    assert share_outside((10, 10, 20, 20), 100, 100) == 0
    assert share_outside((200, 0, 210, 10), 100, 100) == 1
    assert share_outside((5, 5, 5, 5), 100, 100) == 1
    image = np.zeros((10, 10, 3), np.uint8)
    image[:2] = 250
    assert highlights(image, (0, 0, 10, 10)) == 250  # a fifth of the pixels
    assert highlights(image, (0, 2, 10, 10)) == 0
    assert highlights(image, (20, 20, 30, 30)) == 0
    for name in ("least_face_side", "least_luma", "most_outside", "least_share_scored"):
        with pytest.raises(UserError, match=f"limit {name} is -1"):
            Limits(**{name: -1})
