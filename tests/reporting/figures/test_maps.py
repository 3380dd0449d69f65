"""Grad-CAM and channel maps against plain loops."""

import numpy as np
import pytest
import torch

from dgfas.core.config import NetworkConfig
from dgfas.methods.base import Setup
from dgfas.methods.binary_cnn import BinaryCNN
from dgfas.reporting.figures.drawing import canvas
from dgfas.reporting.figures.maps import central_share, channel_mean, draw_rows, lowest_and_highest, spoof_attention


def test_spoof_attention_by_finite_differences() -> None:
    torch.manual_seed(0)
    network = NetworkConfig(image_size=32, width=0.1)
    method = BinaryCNN(BinaryCNN.Options(learning_rate=1e-3), Setup(network, 1, 1)).double().eval()
    images = torch.rand(2, 6, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        features = method.encoder(images).last
        expected = np.zeros((2, 4, 4))
        for frame in range(2):
            for channel in range(features.shape[1]):
                moved = features.clone()
                step = 1e-6
                moved[frame, channel] += step  # the sum of the channel's gradients is the slope along all its places
                slope = (method.classifier(moved)[frame] - method.classifier(features)[frame]) / step
                expected[frame] += -slope.item() / 16 * features[frame, channel].numpy()
    maps = spoof_attention(method, images)
    np.testing.assert_allclose(maps, np.maximum(expected, 0), atol=1e-6 * np.abs(expected).max())
    assert maps.max() > 0
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in method.modules())


def test_channels_by_weight_and_their_mean() -> None:
    random = np.random.default_rng(0)
    weight, features = random.random((2, 6)), random.normal(size=(2, 6, 3, 3))
    low, high = lowest_and_highest(weight, 2)
    for frame in range(2):
        order = sorted(range(6), key=lambda channel: weight[frame, channel])
        assert sorted(low[frame]) == sorted(order[:2])
        assert sorted(high[frame]) == sorted(order[4:])
        for y in range(3):
            for x in range(3):
                mean = sum(max(features[frame, channel, y, x], 0) for channel in order[4:]) / 2
                assert channel_mean(features, high)[frame, y, x] == pytest.approx(mean)


@pytest.mark.parametrize("side", [4, 5, 8])
def test_an_even_map_has_a_quarter_in_the_middle(side: int) -> None:
    assert central_share(np.ones((2, side, side))) == pytest.approx(0.25)


def test_the_middle_of_a_map() -> None:
    middle, corner = np.zeros((4, 4)), np.zeros((4, 4))
    middle[1:3, 1:3], corner[0, 0] = 2, 5
    assert central_share(np.stack([middle, corner, np.zeros((4, 4))])) == pytest.approx(
        0.5
    )  # the empty one is left out
    assert np.isnan(central_share(np.zeros((1, 4, 4))))


def test_maps_lie_below_their_crops_each_on_its_own_scale_or_on_one() -> None:
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(2)]
    rows = {"one": random.random((2, 4, 4)), "two": 3 * random.random((2, 4, 4))}
    for common in (False, True):
        with canvas(3, 4) as figure:
            draw_rows(figure, crops, ["a", "b"], rows, common_scale=common)
        panels = np.array(figure.axes).reshape(3, 2)
        assert [axes.get_title() for axes in panels[0]] == ["a", "b"]
        assert [axes.get_ylabel() for axes in panels[:, 0]] == ["crop", "one", "two"]
        for place in range(2):
            np.testing.assert_array_equal(panels[0, place].images[0].get_array(), crops[place])
            for line, maps in enumerate(rows.values(), start=1):
                heat = panels[line, place].images[1]
                np.testing.assert_array_equal(heat.get_array(), maps[place])
                largest = max(m[place].max() for m in rows.values()) if common else maps[place].max()
                assert heat.get_clim() == (0, largest)
