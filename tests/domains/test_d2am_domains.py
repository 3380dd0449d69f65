"""D2AM's clustering: which channels it reads, and how live and spoof clusters stay paired."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from numpy import ndarray
from unasked import never

from dgfas.core.errors import UserError
from dgfas.domains.diagnostics import agreement
from dgfas.domains.provider import FrameTable
from dgfas.domains.registry import make_provider
from dgfas.domains.style import Style

CHANNELS = 4


def planted(low: ndarray, high: ndarray, stages: int = 3, seed: int = 0) -> Style:
    """Statistics whose channels of low attention (2 and 3) show labelling `low`, the others labelling `high`."""
    rng = np.random.default_rng(seed)
    n = len(low)
    columns, blocks = [], []
    for stage in range(1, stages + 1):
        shown = np.stack([high, high, low, low], axis=1).astype(float)
        attention = np.tile([0.9, 0.7, 0.2, 0.4], (n, 1)) + rng.normal(0, 0.01, (n, CHANNELS))
        for kind, values in (("attention", attention), ("mean", shown), ("std", shown)):
            columns.append(values + (0 if kind == "attention" else rng.normal(0, 0.01, (n, CHANNELS))))
            blocks.append((f"stage{stage}/{kind}", CHANNELS))
    return Style(np.concatenate(columns, axis=1), tuple(blocks))


def provider(**options: object):
    return make_provider({"provider": "d2am", "k": 3, **options}, None, seed=0)


def test_the_first_clustering_takes_image_features_of_all_frames(
    make_frames: Callable[..., FrameTable], true_domain: ndarray
) -> None:
    assignment = provider().assign(0, make_frames(), never, None)
    assert agreement(assignment.domain, true_domain, "geometric") == pytest.approx(1)
    assert assignment.log["nmi_given"] == pytest.approx(1)
    assert "image features: made up" in assignment.notes


def test_the_first_clustering_is_joint_and_may_lack_a_class(
    make_frames: Callable[..., FrameTable], live: ndarray
) -> None:
    """Image features that follow the class: a joint clustering splits by class, a separate one could not."""
    rng = np.random.default_rng(0)
    corner = np.where(live, 0, 1 + np.arange(90) // 2 % 2)
    features = Style(corner[:, None] * 5 + rng.normal(0, 0.01, (90, 1)), (("colour/mean", 1),))
    assignment = provider().assign(0, make_frames(features), never, None)
    assert len(set(assignment.domain[live].tolist())) == 1
    assert assignment.log["empty_cells"] == 3
    assert sum("has no live frame" in note for note in assignment.notes) == 2
    following = provider().assign(1, make_frames(), lambda: planted(corner, corner), assignment.domain)
    assert set(following.domain.tolist()) <= {0, 1, 2}


def test_channels_of_low_attention_name_the_domains(
    make_frames: Callable[..., FrameTable], true_domain: ndarray, live: ndarray
) -> None:
    decoy = np.arange(90) // 2 % 3
    style = planted(low=true_domain, high=5 * decoy)
    assignment = provider().assign(1, make_frames(), lambda: style, true_domain)
    np.testing.assert_array_equal(assignment.domain, true_domain)
    swapped = planted(low=decoy, high=5 * true_domain)
    assignment = provider().assign(1, make_frames(), lambda: swapped, true_domain)
    for of_class in (live, ~live):
        assert agreement(assignment.domain[of_class], decoy[of_class], "geometric") == pytest.approx(1)


def test_without_selection_all_channels_count(make_frames: Callable[..., FrameTable], true_domain: ndarray) -> None:
    style = planted(true_domain, np.arange(90) // 2 % 3)
    assert provider(select=False).domain_features(style).shape == (90, 3 * 2 * CHANNELS)
    assert provider().domain_features(style).shape == (90, 3 * 2 * CHANNELS // 2)
    assert provider(pca=5).domain_features(style).shape == (90, 5)


def test_per_sample_selection_by_loops() -> None:
    rng = np.random.default_rng(2)
    blocks = (("stage1/attention", 4), ("stage1/mean", 4), ("stage1/std", 4))
    style = Style(rng.random((7, 12)), blocks)
    ours = provider(per_sample=True).domain_features(style)
    expected = np.empty((7, 4))
    for frame in range(7):
        attention = style.features[frame, :4].tolist()
        lowest = sorted(range(4), key=lambda c: attention[c])[:2]
        expected[frame] = [style.features[frame, 4 + c] for c in lowest] + [
            style.features[frame, 8 + c] for c in lowest
        ]
    expected = (expected - expected.mean(axis=0)) / expected.std(axis=0)
    np.testing.assert_allclose(ours, expected)
    averaged = provider().domain_features(style)
    lowest = np.argsort(style.features[:, :4].mean(axis=0))[:2]
    kept = style.features[:, [4 + lowest[0], 4 + lowest[1], 8 + lowest[0], 8 + lowest[1]]]
    np.testing.assert_allclose(averaged, (kept - kept.mean(axis=0)) / kept.std(axis=0))


def test_live_and_spoof_clusters_stay_paired_through_their_own_history(
    make_frames: Callable[..., FrameTable], true_domain: ndarray, live: ndarray
) -> None:
    """Spoof statistics are shifted so far that a joint clustering would pair nothing; history does."""
    style = planted(true_domain + 10.0 * ~live, np.zeros(90))
    previous = (true_domain + 1) % 3
    assignment = provider().assign(4, make_frames(), lambda: style, previous)
    np.testing.assert_array_equal(assignment.domain, previous)
    assert assignment.log["nmi_previous"] == pytest.approx(1)
    spoof_renamed = np.where(live, previous, (previous + 1) % 3)
    assignment = provider().assign(4, make_frames(), lambda: style, spoof_renamed)
    np.testing.assert_array_equal(assignment.domain, spoof_renamed)


def test_statistics_without_attention_are_taken_whole(
    make_frames: Callable[..., FrameTable], true_domain: ndarray
) -> None:
    rng = np.random.default_rng(0)
    style = Style(true_domain[:, None] + rng.normal(0, 0.01, (90, 6)), (("stage1/mean", 3), ("stage1/std", 3)), ("x",))
    assignment = provider().assign(1, make_frames(), lambda: style, true_domain)
    np.testing.assert_array_equal(assignment.domain, true_domain)
    assert "x" in assignment.notes


def test_the_same_seed_gives_the_same_domains(make_frames: Callable[..., FrameTable]) -> None:
    rng = np.random.default_rng(5)
    style = Style(rng.random((90, 8)), (("stage1/mean", 4), ("stage1/std", 4)))
    previous = np.arange(90) % 3
    one, two = (provider().assign(3, make_frames(), lambda: style, previous) for _ in range(2))
    np.testing.assert_array_equal(one.domain, two.domain)
    assert one.log == two.log


def test_attention_is_logged_and_its_collapse_warned_of_once(
    make_frames: Callable[..., FrameTable], true_domain: ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    healthy = planted(true_domain, true_domain)
    ours = provider()
    log = ours.assign(1, make_frames(), lambda: healthy, true_domain).log
    attention = healthy.block("stage2/attention")
    assert log["stage2/attention_spread"] == pytest.approx(attention.mean(axis=0).std())
    assert log["stage2/attention_complement"] == pytest.approx((1 - attention).mean())
    assert log["mmd_found"] > 0
    assert caplog.records == []
    saturated = Style(np.where(np.arange(36) % 12 < 4, 0.999, healthy.features), healthy.blocks)
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        for clustering in (2, 3):
            ours.assign(clustering, make_frames(), lambda: saturated, true_domain)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 6, "for each of three DRLMs: F- vanishes, and the choice of channels is arbitrary"
    assert "stage1/attention is nearly 1 everywhere" in messages[0]
    assert "stage1/attention is the same for all channels" in messages[1]


def test_broken_statistics_are_refused(make_frames: Callable[..., FrameTable], true_domain: ndarray) -> None:
    style = planted(true_domain, true_domain)
    style.features[3, 5] = np.nan
    with pytest.raises(UserError, match="clustering 1: the statistics 'stage1/mean' of 1 of 90 frames"):
        provider().assign(1, make_frames(), lambda: style, true_domain)


def test_the_weights_reach_the_image_features(make_frames: Callable[..., FrameTable], live: ndarray) -> None:
    asked = []
    table = make_frames()
    frames = FrameTable(live, None, lambda weights: asked.append(weights) or table.image_features(weights))
    provider(imagenet_weights="resnet18.pth").assign(0, frames, never, None)
    assert [str(path) for path in asked] == ["resnet18.pth"]
