"""Style statistics of frames, from the network under training or from the images alone, for domains/."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgfas.core.errors import UserError
from dgfas.domains.image_statistics import BLOCKS, colour_and_sharpness
from dgfas.domains.style import Style, StyleKind
from dgfas.methods.base import Method
from dgfas.networks.domain_representation import DomainRepresentation, channel_statistics
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import DepthEstimator
from dgfas.networks.imagenet import imagenet_stages

#: Statistics of a chunk of frames, by block name: images (B, 6, S, S) -> {name: (B, c)}.
Extractor = Callable[[Tensor], dict[str, Tensor]]


def collect_style(kind: StyleKind, method: Method, chunks: Iterable[Tensor], n_frames: int) -> Style:
    """Pass all frames through the method's encoder once, in evaluation mode and without gradient.

    `chunks` yields six-channel images on the method's device, `n_frames` in all. Only statistics are kept: one row a
    frame. `kind` "d2am": mean and standard deviation of F- behind each stage, and the DRLM's attention; "pdl": mean and
    variance of convolutions 5 and 9 and of the depth estimator's output. Raises UserError if there is no encoder.
    """
    extractor, notes = style_extractor(kind, method)
    was_training = method.training
    method.eval()
    try:
        return _gathered(extractor, chunks, n_frames, notes)
    finally:
        method.train(was_training)


def image_style(weights: Path | None, chunks: Iterable[Tensor], n_frames: int) -> Style:
    """Return statistics of the images alone: of ImageNet features if there are weights, else of colour and sharpness.

    `weights` is a ResNet-18 state dict or None, see `imagenet_stages`.
    """
    found = imagenet_stages(weights)
    if found is None:
        note = "image features: colour and sharpness statistics, because no ImageNet weights are there"
        return _gathered(_low_level, chunks, n_frames, [note])
    network, name = found

    def extract(images: Tensor) -> dict[str, Tensor]:
        blocks = {}
        for layer, maps in enumerate(network.to(images.device)(images), start=1):
            blocks[f"layer{layer}/mean"], blocks[f"layer{layer}/std"] = channel_statistics(maps)
        return blocks

    return _gathered(extract, chunks, n_frames, [f"image features: {name}"])


def style_extractor(kind: StyleKind, method: Method) -> tuple[Extractor, list[str]]:
    """Return what computes a chunk's statistics, and notes on what a method's networks lack of them."""
    encoder = getattr(method, "encoder", None) or _first(method, Encoder)
    if not isinstance(encoder, Encoder):
        raise UserError(
            f"domains.provider: {kind!r} reads the shared encoder, which method {type(method).__name__} does not have; "
            "set domains.provider to given or random"
        )
    if kind == "d2am":
        return _stage_extractor(encoder)
    return _layer_extractor(encoder, getattr(method, "depth", None) or _first(method, DepthEstimator))


def _stage_extractor(encoder: Encoder) -> tuple[Extractor, list[str]]:
    """D2AM eq. 2, 3 and 6: statistics of each stage's domain features F-, all channels, with the attention."""
    modules = list(encoder.after_stage)

    def extract(images: Tensor) -> dict[str, Tensor]:
        blocks = {}
        for number, (module, features) in enumerate(zip(modules, _inputs(modules, encoder, images), strict=True), 1):
            if isinstance(module, DomainRepresentation):
                blocks[f"stage{number}/attention"] = module.attention(features)
                features = module.domain_features(features)
            blocks[f"stage{number}/mean"], blocks[f"stage{number}/std"] = channel_statistics(features)
        return blocks

    if all(isinstance(module, DomainRepresentation) for module in modules):
        return extract, []
    return extract, ["the encoder has no DRLM: all channels of its three stages describe the style"]


def _layer_extractor(encoder: Encoder, depth: nn.Module | None) -> tuple[Extractor, list[str]]:
    """PDL-FAS section 3.2: mean and variance of the fifth and ninth convolution and of the depth estimator's last."""
    fifth, ninth = encoder.stages[1][0], encoder.stages[2][1]  # type: ignore[index]
    fits = isinstance(depth, DepthEstimator) and depth.in_channels == encoder.concat_channels

    def extract(images: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
            return lambda module, arguments, output: outputs.update({name: output})

        hooks = [fifth.register_forward_hook(keep("conv5")), ninth.register_forward_hook(keep("conv9"))]
        try:
            features = encoder(images)
        finally:
            for hook in hooks:
                hook.remove()
        if fits:
            assert depth is not None
            outputs["depth"] = depth(features.concat)
        blocks = {}
        for name, output in outputs.items():
            blocks[f"{name}/variance"], blocks[f"{name}/mean"] = torch.var_mean(output, dim=(2, 3), correction=0)
        return blocks

    return extract, [] if fits else [
        "the method has no depth estimator on all three stages: its statistics are left out"
    ]


def _inputs(modules: list[nn.Module], encoder: Encoder, images: Tensor) -> list[Tensor]:
    """Return what goes into each of `modules` when the encoder sees `images`."""
    inputs: list[Tensor] = []
    hooks = [m.register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0])) for m in modules]
    try:
        encoder(images)
    finally:
        for hook in hooks:
            hook.remove()
    return inputs


def _low_level(images: Tensor) -> dict[str, Tensor]:
    statistics = torch.from_numpy(colour_and_sharpness(images.float().cpu().numpy()))
    return dict(zip([name for name, _ in BLOCKS], statistics.split([width for _, width in BLOCKS], dim=1), strict=True))


def _first(method: Method, kind: type[nn.Module]) -> nn.Module | None:
    return next((module for module in method.modules() if isinstance(module, kind)), None)


def _gathered(extractor: Extractor, chunks: Iterable[Tensor], n_frames: int, notes: list[str]) -> Style:
    features: Float[np.ndarray, "n d"] | None = None
    blocks: dict[str, Tensor] = {}
    first = 0
    with torch.inference_mode():
        for images in chunks:
            blocks = extractor(images)
            rows = torch.cat(list(blocks.values()), dim=1).float().cpu().numpy()
            if features is None:
                features = np.empty((n_frames, rows.shape[1]), dtype=np.float32)
            features[first : first + len(rows)] = rows
            first += len(rows)
    assert features is not None
    assert first == n_frames, f"{first} frames came, {n_frames} were announced"
    return Style(features, tuple((name, block.shape[1]) for name, block in blocks.items()), tuple(notes))
