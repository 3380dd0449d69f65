"""Style statistics of frames, from the network under training or from the images alone, for domains/."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
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
from dgfas.networks.domain_representation import DomainRepresentation, channel_moments, channel_statistics
from dgfas.networks.encoder import Encoder
from dgfas.networks.heads import DepthEstimator
from dgfas.networks.imagenet import imagenet_stages

#: Statistics of a chunk of frames, by block name: images (B, 6, S, S) -> {name: (B, c)}.
Extractor = Callable[[Tensor], dict[str, Tensor]]


def collect_style(kind: StyleKind, method: Method, chunks: Iterable[Tensor], n_frames: int) -> Style:
    """Let the method score all frames once, in evaluation mode and without gradient, and keep statistics on the way.

    `chunks` yields six-channel images on the method's device, `n_frames` in all; one row a frame is kept. `kind`
    "d2am": mean and standard deviation of F- behind each stage, and the DRLM's attention; "pdl": mean and variance of
    convolutions 5 and 9 and of the depth estimator's output. What a method's networks lack is left out and noted.
    Raises UserError if the method has neither the shared encoder nor a ResNet.
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
    """Return what computes a chunk's statistics, and notes on what the method's networks lack.

    Raises UserError if they have no encoder to read.
    """
    modules = dict(method.named_modules())
    encoder = next((module for module in modules.values() if isinstance(module, Encoder)), None)
    layers = {f"layer{k}": module for k in (1, 2, 3) for name, module in modules.items() if name.endswith(f".layer{k}")}
    if encoder is None and len(layers) < 3:
        raise UserError(
            f"domains.provider: {kind!r} reads an encoder that method {type(method).__name__} does not have; "
            "set domains.provider to given or random"
        )
    if kind == "d2am":
        return _stage_extractor(method, encoder, layers)
    return _layer_extractor(method, encoder, layers)


def _stage_extractor(
    method: Method, encoder: Encoder | None, layers: dict[str, nn.Module]
) -> tuple[Extractor, list[str]]:
    """D2AM eq. 2, 3 and 6: statistics of each stage's domain features F-, all channels, with the attention."""
    watched = layers if encoder is None else {f"stage{k}": stage for k, stage in enumerate(encoder.stages, start=1)}
    behind = [nn.Identity()] * len(layers) if encoder is None else list(encoder.after_stage)

    def extract(images: Tensor) -> dict[str, Tensor]:
        blocks = {}
        for (name, features), module in zip(
            outputs_while_scoring(method, watched, images).items(), behind, strict=True
        ):
            if isinstance(module, DomainRepresentation):
                blocks[f"{name}/attention"] = module.attention(features)
                features = module.domain_features(features)
            blocks[f"{name}/mean"], blocks[f"{name}/std"] = channel_statistics(features)
        return blocks

    if all(isinstance(module, DomainRepresentation) for module in behind):
        return extract, []
    return extract, ["the encoder has no DRLM: all channels of its three stages describe the style"]


def _layer_extractor(
    method: Method, encoder: Encoder | None, layers: dict[str, nn.Module]
) -> tuple[Extractor, list[str]]:
    """PDL-FAS section 3.2: mean and variance of the fifth and ninth convolution and of the depth estimator's output."""
    notes = []
    depth = next((module for module in method.modules() if isinstance(module, DepthEstimator)), None)
    if encoder is None:
        watched, depth = {name: layers[name] for name in ("layer2", "layer3")}, None
        notes.append("the encoder is a ResNet: its second and third layers describe the style")
    else:
        second_stage, third_stage = (list(stage.children()) for stage in list(encoder.stages)[1:])
        watched = {"conv5": second_stage[0], "conv9": third_stage[1], "encoder": encoder}
        if depth is not None and depth.in_channels != encoder.concat_channels:
            depth = None
    if depth is None:
        notes.append("there is no depth estimator on all three stages: its statistics are left out")

    def extract(images: Tensor) -> dict[str, Tensor]:
        outputs = outputs_while_scoring(method, watched, images)
        features = outputs.pop("encoder", None)
        if depth is not None:
            outputs["depth"] = depth(features.concat)
        blocks = {}
        for name, output in outputs.items():
            blocks[f"{name}/mean"], blocks[f"{name}/variance"] = channel_moments(output)
        return blocks

    return extract, notes


def outputs_while_scoring(method: Method, watched: Mapping[str, nn.Module], images: Tensor) -> dict[str, Any]:
    """Return what the modules `watched` put out when the method scores `images`."""
    outputs: dict[str, Any] = {}

    def keep(name: str, module: nn.Module, arguments: Any, output: Any) -> None:
        outputs[name] = output

    hooks = [module.register_forward_hook(partial(keep, name)) for name, module in watched.items()]
    try:
        method.score(images)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def _low_level(images: Tensor) -> dict[str, Tensor]:
    statistics = torch.from_numpy(colour_and_sharpness(images.float().cpu().numpy()))
    return dict(zip([name for name, _ in BLOCKS], statistics.split([width for _, width in BLOCKS], dim=1), strict=True))


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
