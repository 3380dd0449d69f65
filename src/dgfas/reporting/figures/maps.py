"""Where a network looks: Grad-CAM and means over channels, drawn over the crops."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray
from torch import Tensor, nn

from dgfas.methods.base import Method
from dgfas.networks.heads import Adaptation
from dgfas.reporting.figures.features import classifier_of

COLOUR_MAP = "inferno"  # even in lightness, also in grey


def spoof_attention(method: Method, images: Float[Tensor, "b 6 s s"]) -> Float[ndarray, "b h w"]:
    """Return where the features before the classifier speak for an attack: Grad-CAM (Selvaraju et al., ICCV 2017).

    The positive part of the sum over channels of (mean gradient of minus the logit of P(live)) x feature. It is the
    class activation map of Zhou et al. (CVPR 2016), which the papers name, for a layer that is not the last one: the
    last one's map is a quarter as fine.
    """
    classifier = classifier_of(method)
    read: list[Tensor] = []
    logits: list[Tensor] = []

    def take_input(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Tensor]:
        read.append(arguments[0].detach().requires_grad_())
        return (read[0],)

    def take_output(module: nn.Module, arguments: Any, answer: Any) -> None:
        logits.append(answer.logit if isinstance(answer, Adaptation) else answer)

    hooks = [classifier.register_forward_pre_hook(take_input), classifier.register_forward_hook(take_output)]
    try:
        method.score(images)
    finally:
        for hook in hooks:
            hook.remove()
    [gradient] = torch.autograd.grad(-logits[0].sum(), read[0])
    weighted = gradient.mean(dim=(2, 3), keepdim=True) * read[0].detach()
    maps: ndarray = weighted.sum(dim=1).relu().double().cpu().numpy()
    return maps


def channel_mean(features: Float[ndarray, "b c h w"], channels: Int[ndarray, "b k"]) -> Float[ndarray, "b h w"]:
    """Return the mean over each frame's `channels` of what a ReLU lets through."""
    chosen = np.take_along_axis(features, channels[:, :, None, None], axis=1)
    mean: ndarray = np.maximum(chosen, 0).mean(axis=1)
    return mean


def lowest_and_highest(weight: Float[ndarray, "b c"], number: int) -> tuple[Int[ndarray, "b k"], Int[ndarray, "b k"]]:
    """Return each frame's `number` channels of the lowest and of the highest weight."""
    order = np.argsort(weight, axis=1, kind="stable")
    return order[:, :number], order[:, -number:]


def central_share(maps: Float[ndarray, "b h w"]) -> float:
    """Return the share of the maps' sum that lies in the middle half of height and width: 1/4 where they are even.

    The mean over maps that are not zero everywhere; NaN if all are.
    """
    inside = [np.clip(np.minimum(np.arange(n) + 1, 0.75 * n) - np.maximum(np.arange(n), 0.25 * n), 0, 1) for n in
              maps.shape[1:]]  # fmt: skip
    total = maps.sum(axis=(1, 2))
    central = (maps * np.outer(*inside)).sum(axis=(1, 2))
    return float(np.mean(central[total > 0] / total[total > 0])) if (total > 0).any() else float("nan")


def draw_rows(
    figure: Figure,
    crops: Sequence[UInt8[ndarray, "s s 3"]],
    titles: Sequence[str],
    rows: Mapping[str, Float[ndarray, "b h w"]],
    *,
    common_scale: bool = False,
) -> None:
    """Draw the crops in a first row under `titles`, and below them each of `rows` laid over the crops.

    Each map is scaled to its own largest value, or, with `common_scale`, a frame's maps to the largest of them.
    """
    grid = figure.subplots(1 + len(rows), len(crops), squeeze=False)
    for place, (crop, title) in enumerate(zip(crops, titles, strict=True)):
        show(grid[0, place], crop)
        grid[0, place].set_title(title, fontsize=8)
        largest = max(float(maps[place].max()) for maps in rows.values())
        for axes, maps in zip(grid[1:, place], rows.values(), strict=True):
            overlay(axes, crop, maps[place], largest if common_scale else float(maps[place].max()))
    for axes, name in zip(grid[:, 0], ["crop", *rows], strict=True):
        axes.set_ylabel(name, fontsize=9)


def show(axes: Axes, crop: UInt8[ndarray, "s s 3"]) -> None:
    """Show a picture without ticks."""
    axes.imshow(crop, extent=(0, 1, 0, 1))
    axes.set(xticks=[], yticks=[])


def overlay(axes: Axes, crop: UInt8[ndarray, "s s 3"], heat: Float[ndarray, "h w"], largest: float) -> None:
    """Show a map over a picture in grey: 0 is dark, `largest` is bright."""
    grey = crop.mean(axis=2)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=(0, 1, 0, 1))
    axes.imshow(
        heat, cmap=COLOUR_MAP, vmin=0, vmax=largest or 1.0, alpha=0.65, extent=(0, 1, 0, 1), interpolation="bilinear"
    )
    axes.set(xticks=[], yticks=[])
