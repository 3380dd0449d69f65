"""Scoring one face: the exported file in ONNX Runtime, in 32 and in 8 bits, against the training code.

The method is RFM with random weights, whose speed is that of trained ones; 256 px, full width, one image at a time, one
thread. The training code runs its forward under `inference_mode`. All three take the same six-channel bytes to a score.

Each is in a process of its own, as where it is used: alone, the training code asks the system for the memory of its
large activations anew at every face, a fifth of its time. In one process the others' memory spares it some of that;
ONNX Runtime in 32 bits was 1.17 to 1.47 times as fast then, in five runs.

In 32 bits 99 % of ONNX Runtime's time is in the 3x3 convolutions. BatchNorm is folded already; padding 196 channels to
a multiple of 16, which ONNX Runtime does itself, and other levels of its optimisation gained nothing.
"""

from collections.abc import Callable

import numpy as np
import torch
from skimage.data import astronaut

from benchmarks.networks import FULL_WIDTH, build
from benchmarks.result import Figure, per_second, times_as_fast
from benchmarks.timing import OwnProcess, interleaved, one_thread
from dgfas.core.config import NetworkConfig
from dgfas.data.colour import rgb_and_hsv, to_size
from dgfas.deployment.graph import scoring_graph
from dgfas.deployment.model_file import INPUT_NAME, open_session
from dgfas.deployment.quantize import quantized_graph

Work = Callable[[], np.ndarray]


def crops(side: int, number: int) -> np.ndarray:
    """Return inputs `(number, 6, side, side)`: a photo's face, moved by some pixels."""
    photo = astronaut()
    cut = [photo[40 + k : 200 + k, 140 + 2 * k : 300 + 2 * k] for k in range(number)]
    return np.stack([rgb_and_hsv(to_size(np.ascontiguousarray(crop), side)) for crop in cut])


def training_code(network: NetworkConfig, weights: dict[str, np.ndarray], image: np.ndarray) -> Work:
    """Return the training code's scoring of one face."""
    method = build("rfm", network).eval()
    method.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})

    def work() -> np.ndarray:
        with torch.inference_mode():
            return method.score(torch.from_numpy(image).float().div_(255)).numpy()

    return work


def onnx_runtime(model: bytes, image: np.ndarray) -> Work:
    """Return an exported file's scoring of one face."""
    session = open_session(model)
    return lambda: session.run(None, {INPUT_NAME: image})[0]


def compared(what: str, network: NetworkConfig, rounds: int, least: dict[str, float]) -> list[Figure]:
    """Return the figures at one size of network; `least` = how many times as fast as the training code each must be."""
    method = build("rfm", network)
    images = crops(network.image_size, 8)
    with torch.inference_mode():  # BatchNorm statistics of these images, so that no activation is out of range
        for module in method.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        method.score(torch.from_numpy(images[:4]).float() / 255)
    method.eval()
    content, image = scoring_graph(method), images[-1:]
    weights = {name: tensor.numpy() for name, tensor in method.state_dict().items()}
    with (
        OwnProcess(training_code, network, weights, image) as eager,
        OwnProcess(onnx_runtime, content, image) as fp32,
        OwnProcess(onnx_runtime, quantized_graph(content, images[None, :4]), image) as int8,
    ):
        assert abs(fp32() - eager()).max() < 1e-5, "the scores differ"
        times = interleaved({"eager": eager, "fp32": fp32, "int8": int8}, rounds)
    return [
        times_as_fast(
            f"{what}: ONNX Runtime, 32 bits, against training code", times["fp32"], times["eager"], least["fp32"]
        ),
        times_as_fast(
            f"{what}: ONNX Runtime, 8 bits, against training code", times["int8"], times["eager"], least["int8"]
        ),
        *(per_second(f"{what}: {name}", "faces", 1, times[name]) for name in times),
    ]


def run(quick: bool) -> list[Figure]:
    one_thread()
    side, rounds = (64, 3) if quick else (256, 15)
    full = FULL_WIDTH.model_copy(update={"image_size": side})
    return compared(f"{side} px, full width", full, rounds, {"fp32": 1.25, "int8": 2.2})
