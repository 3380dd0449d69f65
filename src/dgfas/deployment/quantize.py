"""A scoring graph whose convolutions compute in 8 bits, calibrated on training frames."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from jaxtyping import UInt8
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from dgfas.deployment.graph import quiet
from dgfas.deployment.model_file import INPUT_NAME

#: The encoder is made of these; heads, normalisations with statistics of their own and attention stay in 32 bits.
QUANTIZED = ["Conv", "MaxPool"]


def quantized_graph(content: bytes, batches: Iterable[UInt8[np.ndarray, "n 6 s s"]]) -> bytes:
    """Return the graph of `content` with 8-bit weights, one scale a channel, and 8-bit activations.

    The range of each activation is that of `batches`. Weights keep to 7 of their 8 bits, for on processors without
    VNNI the sum of two products would overflow 16 bits otherwise.
    """
    with tempfile.TemporaryDirectory() as name, quiet("root"):
        out = Path(name) / "int8.onnx"
        quantize_static(
            onnx.load_from_string(content),
            out,
            _Batches(iter(batches)),
            op_types_to_quantize=QUANTIZED,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return out.read_bytes()


class _Batches(CalibrationDataReader):
    def __init__(self, batches: Iterator[np.ndarray]) -> None:
        self.batches = batches

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.batches, None)
        return None if batch is None else {INPUT_NAME: batch}
