"""Probes read what they are named after, and nothing else."""

import numpy as np
import pytest

from dgfas.benchmark.probes import PROBES, border, folded, histogram, probe_auc, sharpness, thumbnail


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def test_histogram_counts_by_channel(crops: np.ndarray) -> None:
    features = histogram(crops)
    for channel in range(3):
        for level in range(16):
            values = crops[2, ..., channel]
            expected = sum(level * 16 <= int(value) < (level + 1) * 16 for value in values.ravel()) / 1024
            assert features[2, channel * 16 + level] == pytest.approx(expected)


def test_border_ignores_the_inside(crops: np.ndarray) -> None:
    changed = crops.copy()
    changed[:, 2:-2, 2:-2] = 0
    assert np.array_equal(border(changed), border(crops))
    changed[:, 1, 5] += 1
    assert not np.array_equal(border(changed), border(crops))


def test_thumbnail_averages_squares(crops: np.ndarray) -> None:
    expected = crops[1, 0:2, 2:4, 0].mean() / 255
    assert thumbnail(crops)[1, 3] == pytest.approx(expected, abs=1 / 255)


def test_sharpness_falls_with_contrast(crops: np.ndarray) -> None:
    assert (sharpness(crops) > sharpness(crops // 4)).all()


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_gives_a_finite_row_a_crop(crops: np.ndarray, name: str) -> None:
    features = PROBES[name](crops)
    assert features.ndim == 2
    assert len(features) == len(crops)
    assert np.isfinite(features).all()


def test_a_flipped_cue_counts_as_a_cue() -> None:
    rng = np.random.default_rng(1)
    is_live = np.arange(200) % 2 == 0
    features = rng.normal(size=(200, 1)) + 2 * is_live[:, None]
    area = probe_auc(features, is_live, -features, is_live)
    assert area < 0.2
    assert folded(area) == pytest.approx(1 - area)
    assert probe_auc(features, is_live, features, is_live) == pytest.approx(1 - area)
