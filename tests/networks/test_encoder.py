"""Sizes, parameter counts and memory-saving of the encoder."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.networks.encoder import Encoder, Features, scaled


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_full_width_has_the_parameters_of_the_paper() -> None:
    assert parameter_count(Encoder(NetworkConfig(image_size=256, width=1.0))) == 1_731_108


def test_full_width_keeps_the_channels_and_less_rounds_to_a_multiple_of_8() -> None:
    assert [scaled(channels, 1) for channels in (64, 128, 196)] == [64, 128, 196]
    assert [scaled(channels, 0.25) for channels in (64, 128, 196)] == [16, 32, 48]
    assert [scaled(channels, 0.01) for channels in (64, 128, 196)] == [8, 8, 8]
    for width in (0.99, 0.7, 0.5, 0.3, 0.125):
        for channels in (64, 128, 196, 256, 384, 512):
            assert scaled(channels, width) % 8 == 0
            assert abs(scaled(channels, width) - channels * width) <= 4


@pytest.mark.parametrize("stem_stride", [1, 2])
@pytest.mark.parametrize("side", [32, 40, 64, 72])
def test_both_outputs_have_an_eighth_of_the_side(side: int, stem_stride: int) -> None:
    encoder = Encoder(NetworkConfig(image_size=side, width=0.125, stem_stride=stem_stride))
    features = encoder(torch.rand(2, 6, side, side))
    assert features.last.shape == (2, 16, side // 8, side // 8)
    assert features.concat.shape == (2, 48, side // 8, side // 8)


def test_the_stride_2_stem_takes_the_place_of_the_third_pooling() -> None:
    for stem_stride, poolings in ((1, 3), (2, 2)):
        encoder = Encoder(NetworkConfig(image_size=32, width=0.125, stem_stride=stem_stride))
        assert sum(isinstance(module, nn.MaxPool2d) for module in encoder.modules()) == poolings
        assert encoder.stem[0].stride == (stem_stride, stem_stride)


@pytest.mark.parametrize("stem_stride", [1, 2])
def test_the_concat_is_every_stage_averaged_down_to_the_last(stem_stride: int) -> None:
    encoder = Encoder(NetworkConfig(image_size=32, width=0.125, stem_stride=stem_stride)).eval()
    outputs: list[torch.Tensor] = []
    for stage in encoder.stages:
        stage.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    features = encoder(torch.rand(2, 6, 32, 32))
    averaged = [F.avg_pool2d(output, output.shape[-1] // 4) for output in outputs]
    torch.testing.assert_close(features.concat, torch.cat(averaged, dim=1))
    torch.testing.assert_close(features.last, outputs[2])


def test_weights_start_xavier_normal() -> None:
    torch.manual_seed(0)
    for module in Encoder(NetworkConfig(image_size=32, width=0.5)).modules():
        if isinstance(module, nn.Conv2d):
            fan = 9 * (module.in_channels + module.out_channels)
            assert module.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.05)


def test_instance_normalisation_has_no_statistics_and_unknown_ones_are_refused() -> None:
    encoder = Encoder(NetworkConfig(image_size=32, width=0.125, normalization="instance"))
    assert not list(encoder.buffers())
    assert parameter_count(encoder) == parameter_count(Encoder(NetworkConfig(image_size=32, width=0.125)))
    with pytest.raises(UserError, match=r"network.normalization: unknown normalisation 'instanse'.*'instance'"):
        Encoder(NetworkConfig(image_size=32, width=0.125, normalization="instanse"))


def test_features_split_along_the_batch() -> None:
    features = Features(torch.arange(6.0).view(6, 1, 1, 1), torch.arange(6.0, 12.0).view(6, 1, 1, 1))
    parts = features.chunk(3)
    assert [part.last.flatten().tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert [part.concat.flatten().tolist() for part in parts] == [[6, 7], [8, 9], [10, 11]]


@pytest.fixture
def gradients_and_buffers() -> Callable[[bool], dict[str, torch.Tensor]]:
    """Return a function that trains on one batch and gives every gradient and buffer."""

    def run(checkpoint_activations: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        config = NetworkConfig(image_size=32, width=0.125, checkpoint_activations=checkpoint_activations)
        encoder = Encoder(config).double()
        images = torch.rand(4, 6, 32, 32, dtype=torch.float64)
        features = encoder(images)
        (features.last.square().mean() + features.concat.square().sum()).backward()
        return dict(encoder.named_buffers()) | {name: p.grad for name, p in encoder.named_parameters()}

    return run


def test_checkpointing_changes_neither_gradients_nor_statistics(
    gradients_and_buffers: Callable[[bool], dict[str, torch.Tensor]],
) -> None:
    plain, saving = gradients_and_buffers(False), gradients_and_buffers(True)
    assert plain.keys() == saving.keys()
    for name, tensor in plain.items():
        torch.testing.assert_close(saving[name], tensor, rtol=0, atol=0, msg=name)
    assert all(tensor == 1 for name, tensor in saving.items() if name.endswith("num_batches_tracked"))
