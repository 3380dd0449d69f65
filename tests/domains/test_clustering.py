"""Scaling, principal components and clusters."""

import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.domains.clustering import check_finite, cluster, principal_components, standardised
from dgfas.domains.image_statistics import BLOCKS, colour_and_sharpness
from dgfas.domains.style import Style


def test_columns_are_standardised_but_noise_is_not_blown_up() -> None:
    rng = np.random.default_rng(0)
    features = np.stack([rng.normal(5, 2, 50), rng.normal(100, 1e-5, 50), np.full(50, 3.0)], axis=1)
    out = standardised(features)
    mean = sum(features[:, 0]) / 50
    deviation = (sum((x - mean) ** 2 for x in features[:, 0]) / 50) ** 0.5
    np.testing.assert_allclose(out[:, 0], [(x - mean) / deviation for x in features[:, 0]])
    assert abs(out[:, 1]).max() < 0.1
    assert (out[:, 2] == 0).all()


def test_principal_components_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 6)) * [5, 4, 3, 2, 1, 0.5] + 100
    projected = principal_components(features, 3)
    centred = features - features.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    expected = centred @ vectors[:, np.argsort(values)[::-1][:3]]
    np.testing.assert_allclose(abs(projected), abs(expected), rtol=1e-8)


@pytest.mark.parametrize(("n", "d", "kept"), [(40, 6, 6), (5, 600, 4), (400, 300, 256)])
def test_there_are_as_many_components_as_the_frames_have(n: int, d: int, kept: int) -> None:
    assert principal_components(np.random.default_rng(0).normal(size=(n, d)), 256).shape == (n, kept)


def test_float32_statistics_stay_float32() -> None:
    features = np.random.default_rng(0).normal(1000, 1, (50, 4)).astype(np.float32)
    assert standardised(features).dtype == np.float32
    assert abs(standardised(features).mean(axis=0)).max() < 1e-3


@pytest.mark.parametrize("clusterer", ["kmeans", "gmm"])
def test_clusters_are_found_and_seeded(clusterer: str) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 200)
    features = rng.normal(size=(200, 5)) * 0.1 + truth[:, None]
    labels, notes = cluster(features, 4, seed=11, clusterer=clusterer)
    assert notes == []
    assert len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == 4
    np.testing.assert_array_equal(labels, cluster(features, 4, seed=11, clusterer=clusterer)[0])


def test_fewer_different_frames_than_clusters_are_noted() -> None:
    labels, notes = cluster(np.repeat([[0.0], [1.0]], 5, axis=0), 3, seed=0)
    assert len(set(labels.tolist())) == 2
    assert any("distinct clusters (2)" in note for note in notes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_statistics_that_are_no_numbers_are_refused(value: float) -> None:
    features = np.ones((6, 5))
    features[[1, 4], 3] = value
    style = Style(features, (("stage1/mean", 3), ("stage2/mean", 2)))
    with pytest.raises(UserError, match=r"clustering 2: the statistics 'stage2/mean' of 2 of 6 frames are NaN"):
        check_finite(style, 2)


def test_blocks_of_statistics_are_found_by_name() -> None:
    style = Style(np.arange(12.0).reshape(2, 6), (("a/mean", 1), ("a/std", 2), ("b/mean", 3)))
    assert style.names("mean") == ["a/mean", "b/mean"]
    np.testing.assert_array_equal(style.block("a/std"), [[1, 2], [7, 8]])
    np.testing.assert_array_equal(style.select(["b/mean", "a/mean"]), [[3, 4, 5, 0], [9, 10, 11, 6]])
    with pytest.raises(KeyError):
        style.block("c/mean")


def test_colour_and_sharpness_by_loops() -> None:
    images = np.random.default_rng(0).random((2, 6, 8, 8))
    out = colour_and_sharpness(images)
    assert out.shape == (2, sum(width for _, width in BLOCKS))
    for frame in range(2):
        for column, channel in enumerate((0, 1, 2, 4, 5)):
            pixels = [images[frame, channel, y, x] for y in range(8) for x in range(8)]
            mean = sum(pixels) / 64
            assert out[frame, column] == pytest.approx(mean)
            assert out[frame, 5 + column] == pytest.approx((sum((p - mean) ** 2 for p in pixels) / 64) ** 0.5)
        grey = images[frame, :3].mean(axis=0)
        half = np.array([[grey[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean() for x in range(4)] for y in range(4)])
        for column, picture in ((10, grey), (11, half)):
            inner = range(1, len(picture) - 1)
            edges = [
                picture[y - 1, x] + picture[y + 1, x] + picture[y, x - 1] + picture[y, x + 1] - 4 * picture[y, x]
                for y in inner
                for x in inner
            ]
            assert out[frame, column] == pytest.approx(np.log10(np.var(edges) + 1e-6))


def test_a_blurred_picture_is_less_sharp() -> None:
    sharp = np.random.default_rng(0).random((1, 6, 16, 16))
    blurred = (sharp + np.roll(sharp, 1, axis=2) + np.roll(sharp, 1, axis=3)) / 3
    assert (colour_and_sharpness(blurred)[:, 10:] < colour_and_sharpness(sharp)[:, 10:]).all()
