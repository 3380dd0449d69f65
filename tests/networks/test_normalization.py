"""The normalisation layers against loops over samples, channels and pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.networks.encoder import Encoder
from dgfas.networks.normalization import (
    AFNM,
    NORMALIZATIONS,
    BatchInstanceNorm,
    meta_parameter_names,
    normalization,
    recorded_balance_factors,
)

SAMPLES, CHANNELS, SIDE = 3, 5, 4
EPSILON = 1e-5


def random_layer(name: str, channels: int = CHANNELS) -> nn.Module:
    """Make the layer with random parameters, so that no affine map and no gate is the identity."""
    torch.manual_seed(1)
    layer = normalization(name)(channels).double()
    for parameter in layer.parameters():
        parameter.data = torch.rand_like(parameter) + 0.1
    if isinstance(layer, BatchInstanceNorm):
        layer.gate.data = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0], dtype=torch.float64)
    return layer


@pytest.fixture
def x() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    level = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)[:, None, None, None]
    return torch.rand(SAMPLES, CHANNELS, SIDE, SIDE, generator=generator, dtype=torch.float64) * level


def standardise(values: list[float], all_values: list[float]) -> list[float]:
    mean = sum(all_values) / len(all_values)
    variance = sum((value - mean) ** 2 for value in all_values) / len(all_values)
    return [(value - mean) / math.sqrt(variance + EPSILON) for value in values]


def pixels(x: Tensor, sample: int, channel: int) -> list[float]:
    return x[sample, channel].flatten().tolist()


def slow_batch(x: Tensor, n: int, c: int) -> list[float]:
    return standardise(pixels(x, n, c), [value for m in range(len(x)) for value in pixels(x, m, c)])


def slow_instance(x: Tensor, n: int, c: int) -> list[float]:
    return standardise(pixels(x, n, c), pixels(x, n, c))


def affine(values: list[float], layer: nn.Module, c: int) -> list[float]:
    return [layer.weight[c].item() * value + layer.bias[c].item() for value in values]


def mix(share: float, first: list[float], second: list[float]) -> list[float]:
    return [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def dot(row: Tensor, vector: list[float]) -> float:
    return sum(weight * value for weight, value in zip(row.tolist(), vector, strict=True))


def slow_alpha(layer: nn.Module, x: Tensor, n: int, c: int) -> float:
    """ANRL eq. 1-4."""
    pooled = [sum(pixels(x, n, k)) / SIDE**2 for k in range(CHANNELS)]
    compact = [max(0.0, dot(row, pooled)) for row in layer.squeeze]
    batch = sigmoid(dot(layer.batch_head[c], compact))
    instance = sigmoid(dot(layer.instance_head[c], compact))
    return batch / (batch + instance)


def slow_alpha_1layer(layer: nn.Module, x: Tensor, n: int, c: int) -> float:
    pooled = [sum(pixels(x, n, k)) / SIDE**2 for k in range(CHANNELS)]
    return sigmoid(dot(layer.weight[c], pooled) + layer.bias[c].item())


def slow_bin(layer: nn.Module, x: Tensor, n: int, c: int) -> list[float]:
    return affine(mix(layer.gate[c].item(), slow_batch(x, n, c), slow_instance(x, n, c)), layer, c)


def slow_ibn(layer: nn.Module, x: Tensor, n: int, c: int) -> list[float]:
    if c < CHANNELS // 2:
        return affine(slow_instance(x, n, c), layer.instance, c)
    return affine(slow_batch(x, n, c), layer.batch, c - CHANNELS // 2)


def slow_mix(share: Callable[..., float]) -> Callable[..., list[float]]:
    def slow(layer: nn.Module, x: Tensor, n: int, c: int) -> list[float]:
        alpha = share(getattr(layer, "balance", layer), x, n, c)
        return mix(
            alpha, affine(slow_batch(x, n, c), layer.batch, c), affine(slow_instance(x, n, c), layer.instance, c)
        )

    return slow


SLOW = {
    "batch": lambda layer, x, n, c: affine(slow_batch(x, n, c), layer, c),
    "instance": lambda layer, x, n, c: affine(slow_instance(x, n, c), layer, c),
    "half": slow_mix(lambda *_: 0.5),
    "bin": slow_bin,
    "ibn": slow_ibn,
    "afnm": slow_mix(slow_alpha),
    "afnm_1layer": slow_mix(slow_alpha_1layer),
}


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_every_layer_equals_its_formula(name: str, x: Tensor) -> None:
    layer = random_layer(name)
    expected = torch.tensor(
        [[SLOW[name](layer, x, n, c) for c in range(CHANNELS)] for n in range(SAMPLES)], dtype=x.dtype
    )
    torch.testing.assert_close(layer(x), expected.reshape(x.shape))


def test_alpha_is_one_half_at_the_start(x: Tensor) -> None:
    layer = AFNM(CHANNELS).double()
    assert torch.equal(layer.balance(x), torch.full((SAMPLES, CHANNELS), 0.5, dtype=x.dtype))
    torch.testing.assert_close(layer(x), normalization("half")(CHANNELS).double()(x))


def test_alpha_of_one_is_batch_normalisation_and_of_zero_instance_normalisation(x: Tensor) -> None:
    layer = random_layer("afnm_1layer")
    layer.balance.weight.data.zero_()
    for bias, chosen in ((40.0, layer.batch), (-40.0, layer.instance)):
        layer.balance.bias.data.fill_(bias)
        torch.testing.assert_close(layer(x), chosen(x))


def test_alpha_belongs_to_the_sample(x: Tensor) -> None:
    balance = random_layer("afnm").balance
    alone = torch.cat([balance(sample[None]) for sample in x])
    torch.testing.assert_close(balance(x), alone)
    assert (alone.std(dim=0) > 1e-3).any()


def test_the_gate_of_bin_stays_between_instance_and_batch_normalisation(x: Tensor) -> None:
    layer = random_layer("bin").eval()
    layer.gate.data[:] = torch.tensor([1.3, -0.2, 0.5, 1.0, 0.0])
    output = layer(x)
    assert layer.gate.data[0] == pytest.approx(1.3), "scoring leaves the parameters alone"
    layer.train()(x)
    assert layer.gate.tolist() == [1, 0, 0.5, 1, 0]
    fresh = random_layer("bin").eval()
    fresh.gate.data.copy_(layer.gate.data)
    torch.testing.assert_close(fresh(x), output)
    layer(x).square().mean().backward()
    assert (layer.gate.grad != 0).all(), "a gate on the border can come back"


def test_a_second_forward_does_not_spoil_the_gradient_of_the_first() -> None:
    layer = random_layer("bin")
    batches = [torch.rand(2, CHANNELS, 3, 3, dtype=torch.float64) for _ in range(2)]
    (layer(batches[0]).square().mean() + layer(batches[1]).square().mean()).backward()
    assert layer.gate.grad is not None


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_every_layer_differentiates_twice(name: str) -> None:
    layer, x = random_layer(name), torch.rand(2, CHANNELS, 3, 3, dtype=torch.float64, requires_grad=True)
    slopes = torch.autograd.grad(layer(x).pow(3).sum(), list(layer.parameters()), create_graph=True)
    (second,) = torch.autograd.grad(sum(slope.square().sum() for slope in slopes), x)
    assert second.abs().sum() > 0


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_every_layer_works_in_the_encoder_and_scores_samples_one_by_one(name: str) -> None:
    encoder = Encoder(NetworkConfig(image_size=32, width=0.125, stem_stride=2, normalization=name))
    images = torch.rand(4, 6, 32, 32)
    encoder(images)
    encoder.eval()
    alone = torch.cat([encoder(image[None]).concat for image in images])
    torch.testing.assert_close(encoder(images).concat, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "parameters"), [("afnm_1layer", 1_953_016), ("batch", 1_731_108)])
def test_full_width_has_as_many_parameters_as_the_released_encoders(name: str, parameters: int) -> None:
    encoder = Encoder(NetworkConfig(image_size=256, width=1.0, normalization=name))
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters


def test_the_balance_factors_are_what_is_meta_learnt() -> None:
    encoder = Encoder(NetworkConfig(image_size=256, width=1.0, normalization="afnm_1layer"))
    names = meta_parameter_names(encoder)
    assert all(".balance." in name for name in names)
    assert sum(encoder.get_parameter(name).numel() for name in names) == 219_068


@pytest.mark.parametrize("name", ["batch", "instance", "half", "bin", "ibn"])
def test_other_layers_are_meta_learnt_whole(name: str) -> None:
    encoder = Encoder(NetworkConfig(image_size=32, width=0.25, normalization=name))
    convolutions = {id(p) for m in encoder.modules() if isinstance(m, nn.Conv2d) for p in m.parameters()}
    expected = [path for path, parameter in encoder.named_parameters() if id(parameter) not in convolutions]
    assert meta_parameter_names(encoder) == expected
    assert len(expected) == {"batch": 20, "instance": 20, "half": 40, "bin": 30, "ibn": 40}[name]


def test_recording_keeps_every_alpha_of_every_layer_and_stops_at_the_end() -> None:
    encoder = Encoder(NetworkConfig(image_size=32, width=0.25, normalization="afnm"))
    images = torch.rand(2, 6, 32, 32)
    with recorded_balance_factors(encoder) as alpha:
        encoder(images)
        encoder(images)
    encoder(images)
    assert [len(layer) for layer in alpha] == [2] * 10
    assert alpha[0][0].shape == (2, encoder.stem[0].out_channels)
    assert not alpha[0][0].requires_grad


def test_an_unknown_name_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UserError, match=r"network\.normalization: unknown normalisation 'afm'; did you mean 'afnm'"):
        normalization("afm")
