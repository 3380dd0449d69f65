"""DRDG's sample and feature reweighting modules and its discriminator against loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from dgfas.networks.discriminators import PooledDiscriminator
from dgfas.networks.reweighting import FeatureReweighting, SampleReweighting

CHANNELS = 6


@pytest.fixture
def features() -> Tensor:
    return torch.rand(3, CHANNELS, 4, 4, generator=torch.Generator().manual_seed(0))


def slow_two_layers(first: nn.Linear, second: nn.Linear, sample: Tensor) -> list[float]:
    pooled = [sum(channel.flatten().tolist()) / 16 for channel in sample]

    def linear(layer: nn.Linear, values: list[float]) -> list[float]:
        return [
            sum(w * value for w, value in zip(row.tolist(), values, strict=True)) + bias.item()
            for row, bias in zip(layer.weight, layer.bias, strict=True)
        ]

    return linear(second, [max(0.0, value) for value in linear(first, pooled)])


def test_a_sample_weighs_the_sigmoid_of_its_pooled_features(features: Tensor) -> None:
    module = SampleReweighting(CHANNELS, width=1.0)
    assert module.body[0].out_features == 128
    expected = [1 / (1 + math.exp(-slow_two_layers(module.body[0], module.body[2], f)[0])) for f in features]
    assert module(features).tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("mean_one", "total"), [(True, CHANNELS), (False, 1)])
def test_channels_weigh_by_softmax(mean_one: bool, total: int, features: Tensor) -> None:
    module = FeatureReweighting(CHANNELS, mean_one)
    for sample, out, weights in zip(features, module(features), module.weights(features), strict=True):
        logits = slow_two_layers(module.body[0], module.body[2], sample)
        expected = [total * math.exp(value) / sum(math.exp(other) for other in logits) for value in logits]
        assert weights.tolist() == pytest.approx(expected, rel=1e-5)
        for c in range(CHANNELS):
            torch.testing.assert_close(out[c], weights[c] * sample[c])


def test_uniform_channel_weights_of_mean_one_change_nothing(features: Tensor) -> None:
    module = FeatureReweighting(CHANNELS)
    nn.init.zeros_(module.body[2].weight)
    nn.init.zeros_(module.body[2].bias)
    torch.testing.assert_close(module(features), features)


def test_the_bottleneck_of_frm_is_a_sixteenth() -> None:
    assert FeatureReweighting(384).body[0].out_features == 24


def test_the_discriminator_pools_first(features: Tensor) -> None:
    module = PooledDiscriminator(CHANNELS, 5, width=1.0)
    expected = torch.tensor([slow_two_layers(module[2], module[4], sample) for sample in features])
    torch.testing.assert_close(module(features), expected)
