"""PDL-FAS's clustering: what it stacks, how it reduces and divides it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy import ndarray

from dgfas.core.errors import UserError
from dgfas.domains.diagnostics import agreement
from dgfas.domains.provider import FrameTable
from dgfas.domains.registry import make_provider
from dgfas.domains.style import Style


def provider(**options: object):
    return make_provider({"provider": "pdl", **options}, None, seed=0)


def shown(labels: ndarray, width: int = 6, noise: float = 0.01) -> Style:
    """Statistics that show `labels` in every column."""
    rng = np.random.default_rng(0)
    features = labels[:, None] + rng.normal(0, noise, (len(labels), 2 * width + 2)) + 1.0
    blocks = (("conv5/variance", width), ("conv5/mean", width), ("depth/variance", 1), ("depth/mean", 1))
    return Style(features, blocks, ("a note",))


@pytest.mark.parametrize("clusterer", ["kmeans", "gmm", "knn"])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_any_number_of_domains_is_found(make_frames: Callable[..., FrameTable], clusterer: str, k: int) -> None:
    labels = np.arange(90) // 2 % k
    assignment = provider(k=k, clusterer=clusterer).assign(0, make_frames(), lambda: shown(labels), None)
    assert agreement(assignment.domain, labels, "geometric") == pytest.approx(1)
    assert "a note" in assignment.notes
    assert any("k-means, which the paper means" in note for note in assignment.notes) == (clusterer == "knn")


def test_numbers_follow_the_previous_clustering(make_frames: Callable[..., FrameTable], true_domain: ndarray) -> None:
    previous = (true_domain + 2) % 3
    assignment = provider().assign(1, make_frames(), lambda: shown(true_domain), previous)
    np.testing.assert_array_equal(assignment.domain, previous)


def test_domains_that_are_classes_are_found_as_such_and_noted(
    make_frames: Callable[..., FrameTable], live: ndarray
) -> None:
    assignment = provider(k=2).assign(0, make_frames(), lambda: shown(live), None)
    assert assignment.log["nmi_class"] == pytest.approx(1)
    assert assignment.log["empty_cells"] == 2
    assert sum("batches draw its" in note for note in assignment.notes) == 2


def test_statistics_are_stacked_and_reduced() -> None:
    style = shown(np.arange(90) % 3, width=200, noise=1.0)
    assert provider().style_features(style).shape == (90, 89)
    assert provider(pca=10).style_features(style).shape == (90, 10)
    few = Style(np.abs(np.random.default_rng(0).normal(size=(90, 4))), (("conv5/variance", 2), ("conv5/mean", 2)))
    for spread in ("variance", "std"):
        spreads = few.features[:, :2] ** (0.5 if spread == "std" else 1)
        stacked = np.concatenate([few.features[:, 2:], spreads], axis=1)
        stacked = stacked - stacked.mean(axis=0)
        reduced = provider(spread=spread).style_features(few)
        np.testing.assert_allclose(np.linalg.norm(reduced, axis=1), np.linalg.norm(stacked, axis=1))


def test_the_same_seed_gives_the_same_domains(make_frames: Callable[..., FrameTable]) -> None:
    style = shown(np.zeros(90), noise=1.0)
    one, two = (provider().assign(3, make_frames(), lambda: style, np.arange(90) % 3) for _ in range(2))
    np.testing.assert_array_equal(one.domain, two.domain)
    assert one.log == two.log


def test_broken_statistics_are_refused(make_frames: Callable[..., FrameTable], true_domain: ndarray) -> None:
    style = shown(true_domain)
    style.features[3, -1] = np.inf
    with pytest.raises(UserError, match="the statistics 'depth/mean' of 1 of 90 frames"):
        provider().assign(0, make_frames(), lambda: style, None)


def test_identical_frames_end_in_one_domain_which_is_noted(make_frames: Callable[..., FrameTable]) -> None:
    style = Style(np.ones((90, 4)), (("conv5/variance", 2), ("conv5/mean", 2)))
    assignment = provider().assign(0, make_frames(given=None), lambda: style, None)
    assert set(assignment.domain.tolist()) == {0}
    assert any("distinct clusters" in note for note in assignment.notes)
    assert assignment.log["empty_cells"] == 4
