"""The feature extractor that RFM, ANRL, D2AM, DRDG and PDL-FAS share (RFM supplement, table of the architecture)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from dgfas.core.config import NetworkConfig
from dgfas.networks.normalization import normalization

Norm = Callable[[int], nn.Module]


def scaled(channels: int, width: float) -> int:
    """Scale a channel count; below full width it is rounded to a multiple of 8."""
    return channels if width == 1 else max(8, round(channels * width / 8) * 8)


def conv_block(inputs: int, outputs: int, norm: Norm = nn.BatchNorm2d, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution, normalisation and ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), norm(outputs), nn.ReLU(inplace=True))


def initialise(network: nn.Module) -> None:
    """Set convolution and linear weights as RFM's released code does: Xavier, normal."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(module.weight)


class Features(NamedTuple):
    """What the encoder returns, both at an eighth of the input's side.

    `last (B, 128w, S/8, S/8)` is the third stage's output, `concat (B, 384w, S/8, S/8)` all three stages' side by side.
    """

    last: Float[Tensor, "b c s s"]
    concat: Float[Tensor, "b c3 s s"]

    def chunk(self, parts: int) -> list["Features"]:
        """Split along the batch into equal parts."""
        return [Features(*pair) for pair in zip(self.last.chunk(parts), self.concat.chunk(parts), strict=True)]


class Encoder(nn.Module):
    """A stem and three stages of three convolutions; 1,731,108 parameters at full width with batch normalisation."""

    def __init__(self, config: NetworkConfig, in_channels: int = 6) -> None:
        super().__init__()
        norm = normalization(config.normalization)
        stem, narrow, wide = (scaled(channels, config.width) for channels in (64, 128, 196))
        self.stem = conv_block(in_channels, stem, norm, config.stem_stride)
        self.stages = nn.ModuleList()
        for k in range(3):
            # With the stride-2 stem the third pooling goes, so that the output stays at an eighth of the input.
            pooled = k < 2 or config.stem_stride == 1
            self.stages.append(
                nn.Sequential(
                    conv_block(stem if k == 0 else narrow, narrow, norm),
                    conv_block(narrow, wide, norm),
                    conv_block(wide, narrow, norm),
                    nn.MaxPool2d(2) if pooled else nn.Identity(),
                )
            )
        #: What a method puts behind a stage (D2AM's domain representation learning modules).
        self.after_stage = nn.ModuleList(nn.Identity() for _ in self.stages)
        self.last_channels = narrow
        self.concat_channels = 3 * narrow
        self.checkpoint_activations = config.checkpoint_activations
        initialise(self)

    def forward(self, images: Float[Tensor, "b inputs s s"]) -> Features:
        """Return the features of images in [0, 1]; the side must be divisible by 8 and at least 32.

        The images have the six channels of a `Batch`, or as many as the encoder was built for.
        """
        x = self._run(self.stem, images)
        outputs = []
        for stage, after in zip(self.stages, self.after_stage, strict=True):
            x = after(self._run(stage, x))
            outputs.append(x)
        side = x.shape[-1]
        return Features(x, torch.cat([F.adaptive_avg_pool2d(output, side) for output in outputs], dim=1))

    def _run(self, part: nn.Module, x: Tensor) -> Tensor:
        if not (self.checkpoint_activations and self.training and torch.is_grad_enabled()):
            out: Tensor = part(x)
            return out

        def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
            return nullcontext(), _running_statistics_untouched(part)

        return checkpoint(part, x, use_reentrant=False, context_fn=contexts)


@contextmanager
def _running_statistics_untouched(part: nn.Module) -> Iterator[None]:
    """Let the recomputation of a part's activations write to copies of its buffers: a batch counts once."""
    kept = [(module, dict(module.named_buffers(recurse=False))) for module in part.modules()]
    for module, buffers in kept:
        for name, buffer in buffers.items():
            setattr(module, name, buffer.clone())
    try:
        yield
    finally:
        for module, buffers in kept:
            for name, buffer in buffers.items():
                setattr(module, name, buffer)
