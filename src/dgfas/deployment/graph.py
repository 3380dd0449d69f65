"""A method's scoring as an ONNX graph: what scoring does not need (discriminators, depth head, ...) is not in it."""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from dgfas.core.errors import UserError
from dgfas.deployment.model_file import INPUT_NAME, OUTPUT_NAME
from dgfas.methods.base import Method

OPSET = 20


class Scoring(nn.Module):
    """Bytes of RGB and HSV in, the method's score out, computed as in training."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, rgb_hsv: UInt8[Tensor, "n 6 s s"]) -> Float[Tensor, " n"]:
        """Return the score of each frame, higher = more live."""
        return self.method.score(rgb_hsv.to(torch.float32) / 255)


def scoring_graph(method: Method) -> bytes:
    """Return the serialised ONNX model of a method's `score`, for any number of frames.

    The exporter folds a BatchNorm into the convolution before it where that feeds nothing else, and keeps only the
    weights that the score depends on. Raises UserError if the exporter is missing, or cannot follow the method.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f'export needs {error.name}: pip install "dgfas[export]"') from error
    scoring = Scoring(_constant_counters(copy.deepcopy(method).cpu().float())).eval()
    side = method.setup.network.image_size
    try:
        with quiet("torch"):
            program = torch.onnx.export(
                scoring,
                (torch.zeros(2, 6, side, side, dtype=torch.uint8),),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT_NAME],
                output_names=[OUTPUT_NAME],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                verbose=False,
            )
    except Exception as error:  # whatever the exporter meets in a method that it does not know
        cause = " ".join(str(error.__cause__ or error).split())[:200]
        raise UserError(f"method {type(method).__name__}: torch.onnx cannot follow its `score` ({cause})") from error
    assert program is not None
    model = program.model_proto
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise UserError(
            f"method {type(method).__name__}: torch.onnx cannot follow its `score` for any number of frames"
        )
    content: bytes = model.SerializeToString()
    return content


def _constant_counters(method: Method) -> Method:
    """Turn whole numbers among the buffers into plain ones, for a graph cannot branch on a tensor's value."""
    for module in method.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.ndim == 0 and not buffer.is_floating_point():
                delattr(module, name)
                setattr(module, name, buffer.item())
    return method


@contextmanager
def quiet(logger_name: str) -> Iterator[None]:
    """Hide warnings and the logged advice of a library, such as on optional packages; errors come as exceptions."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
