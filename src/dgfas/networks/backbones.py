"""ResNet-18 from torchvision, which the extra `backbones` brings."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from dgfas.core.errors import UserError

#: Mean and standard deviation of ImageNet's red, green and blue in [0, 1], which its weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def imagenet_normalised(images: Float[Tensor, "b 6 s s"]) -> Float[Tensor, "b 3 s s"]:
    """Return the red, green and blue channels, shifted and scaled as ImageNet's weights expect."""
    mean, std = (images.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (images[:, :3] - mean) / std


def resnet18_halves(key: str, instead: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Return ResNet-18 up to its third layer, `(b, 256, s/16, s/16)`, and its fourth with pooling, `(b, 512)`.

    The weights are random. Raises UserError if torchvision is missing or does not fit torch: it names the extra, `key`,
    which asked for the network, and what to do `instead`.
    """
    try:
        from torchvision.models import resnet18
    except (ImportError, RuntimeError) as error:  # a build for another torch fails with RuntimeError
        raise UserError(
            f"{key}: a ResNet-18 needs torchvision ({error}); pip install 'dgfas[backbones]' in a build that fits your "
            f"torch, or {instead}"
        ) from error
    parts = dict(resnet18(weights=None).named_children())
    generator = nn.Sequential()  # its parts keep their names, so that the weights of a whole ResNet-18 fit
    for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3"):
        generator.add_module(name, parts[name])
    return generator, nn.Sequential(parts["layer4"], parts["avgpool"], nn.Flatten())


def load_imagenet_weights(generator: nn.Module, path: Path) -> None:
    """Copy a ResNet-18 state dict (`.pth` or `.safetensors`) into the first half of `resnet18_halves`.

    Raises UserError if the file is missing, unreadable or of another network.
    """
    try:
        weights: dict[str, Any] = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        )
    except Exception as error:  # the readers raise whatever they meet in a damaged file
        raise UserError(f"{path}: cannot be read as the weights of a ResNet-18 ({type(error).__name__})") from error
    # Batch normalisation's counters steer nothing, and torchvision's file of 2017 has none.
    needed = {name: value for name, value in generator.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name, value in needed.items():
        if name not in weights or weights[name].shape != value.shape:
            raise UserError(f"{path}: is not a ResNet-18 state dict; it has no {name} of shape {tuple(value.shape)}")
    generator.load_state_dict({name: weights[name] for name in needed})
