"""The camera chain does what its numbers say, for live and spoof by one rule."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dgfas.simulation.cameras import (
    DETAIL_SIDE,
    Capture,
    ToneTarget,
    _match_detail,
    _match_tone,
    draw_capture,
    photograph,
)
from dgfas.simulation.capture_domains import load_domain
from dgfas.simulation.fields import LUMA, plane, smooth_noise

TARGET = ToneTarget(
    luma=0.45, above=0.2, below=0.15, red=0.05, blue=-0.04, red_spread=0.03, blue_spread=0.02, detail=0.02
)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rng = np.random.default_rng(5)
    channels = [0.3 + 0.08 * smooth_noise(rng, 96, 6) for _ in range(3)]
    return np.clip(cv2.merge(channels), 0.02, 1).astype(np.float32)


def coarse(channel: np.ndarray) -> np.ndarray:
    small = cv2.resize(channel, (16, 16), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.0)[1:-1, 1:-1]


def test_tone_meets_its_target(picture: np.ndarray) -> None:
    shown = _match_tone(picture, TARGET) ** (1 / 2.2)
    luma = shown @ LUMA
    dark, median, bright = np.percentile(coarse(luma), (6, 50, 94))
    assert median == pytest.approx(0.45, abs=0.02)
    assert bright - median == pytest.approx(0.2, abs=0.03)
    assert median - dark == pytest.approx(0.15, abs=0.03)
    assert coarse(shown[..., 0] - luma).mean() == pytest.approx(0.05, abs=0.005)
    assert coarse(shown[..., 2] - luma).std() == pytest.approx(0.02, abs=0.005)


def test_tone_forgets_gain_and_colour_of_the_scene(picture: np.ndarray) -> None:
    other = picture * np.array([1.3, 1.0, 0.8], np.float32) * 0.7
    first, second = _match_tone(picture, TARGET), _match_tone(other, TARGET)
    assert np.abs(first - second).mean() < 0.25 * np.abs(picture - other).mean()


def test_detail_meets_its_target_within_reach() -> None:
    rng = np.random.default_rng(6)
    shown = (0.5 + 0.02 * rng.standard_normal((DETAIL_SIDE, DETAIL_SIDE, 3))).astype(np.float32)

    def amplitude(image: np.ndarray) -> float:
        fine = image @ LUMA
        return float(np.abs(fine - cv2.GaussianBlur(fine, (0, 0), 1.0)).mean())

    target = 1.2 * amplitude(shown)
    assert amplitude(_match_detail(shown, target)) == pytest.approx(target, rel=0.05)
    assert amplitude(_match_detail(shown, 100 * target)) < 2.5 * target  # sharpening has an end


def capture(**changes: object) -> Capture:
    domain = load_domain("webcam")
    camera = domain.cameras[0].model_copy(update=changes)
    return draw_capture(domain, camera, True, np.random.default_rng(7))


def test_noise_differs_from_frame_to_frame_and_pattern_does_not(picture: np.ndarray) -> None:
    rng = np.random.default_rng(8)
    noisy = capture(noise=0.05, flicker_contrast=0)
    frames = [photograph(picture, noisy, number, 64, rng).astype(float) for number in range(2)]
    assert np.abs(frames[0] - frames[1]).mean() > 1
    quiet = capture(noise=0, colour_noise=0, flicker_contrast=0)
    same = [photograph(picture, quiet, number, 64, rng) for number in range(2)]
    assert np.array_equal(*same)


def test_flicker_makes_horizontal_bands_that_move() -> None:
    grey = np.full((96, 96, 3), 0.3, np.float32)
    bands = capture(
        noise=0, colour_noise=0, column_contrast=0, mosaic_contrast=0, flicker_contrast=0.2, flicker_cycles=(4, 4)
    )
    bands = replace(bands, resolution=96, pattern=np.ones((96, 96), np.float32), flicker_step=1.0)
    rng = np.random.default_rng(9)
    frames = [photograph(grey, bands, number, 96, rng)[..., 1].astype(float) for number in range(2)]
    rows = frames[0].mean(axis=1)
    _, y = plane(96, 1.0)
    expected = np.cos(np.pi * 4 * y[:, 0] + bands.flicker_phase)
    assert np.corrcoef(rows, expected)[0, 1] > 0.95
    assert np.corrcoef(rows, frames[1].mean(axis=1))[0, 1] < 0.8
    assert frames[0].std(axis=1).max() < 0.5 * rows.std()


def test_correlation_has_a_sign_and_a_switch() -> None:
    domain = load_domain("desk")
    assert domain.correlations.luma > 0

    def mean_luma(live: bool, strength: float) -> float:
        switched = domain.model_copy(
            update={"correlations": domain.correlations.model_copy(update={"strength": strength})}
        )
        draws = [
            draw_capture(switched, domain.cameras[0], live, np.random.default_rng(seed)).tone.luma for seed in range(20)
        ]
        return float(np.mean(draws))

    assert mean_luma(True, 0) == pytest.approx(mean_luma(False, 0))
    assert mean_luma(True, 1) - mean_luma(False, 1) == pytest.approx(2 * domain.correlations.luma)
