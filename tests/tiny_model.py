"""A valid model file whose score is known: the mean brightness of the face crop."""

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from dgfas.deployment.model_file import FACTS_KEY, INPUT_NAME, OUTPUT_NAME, ModelFacts, write_model
from dgfas.evaluation.thresholds import Threshold
from dgfas.faces.options import PrepareOptions

FRAME_THRESHOLD = Threshold(0.3, "EER", "source development frames of desk, hall, every domain weighing equally")
RECORDING_THRESHOLD = Threshold(
    0.35, "EER", "source development recordings of desk, hall, every domain weighing equally"
)
SIDE = 32


def tiny_facts(**changes: Any) -> ModelFacts:
    """Return what the tiny model says of itself, with some fields changed."""
    fields: dict[str, Any] = {
        "method": "binary_cnn",
        "precision": "float32",
        "image_size": SIDE,
        "hsv": "pillow",
        "preprocessing": PrepareOptions(size=64),
        "calibration": None,
        "thresholds": {"frame": FRAME_THRESHOLD, "recording": RECORDING_THRESHOLD},
        "provenance": {"run": "tiny"},
        "card": "# A tiny model",
    }
    return ModelFacts(**{**fields, **changes})


def write_tiny_model(path: Path, facts: ModelFacts | None = None, channels: int = 6) -> Path:
    """Write a model file whose output is the mean of the crop's red, green and blue, divided by 255.

    With other than 6 `channels` it takes another input than a detector gives.
    """
    facts = facts or tiny_facts()
    constants = {"first": [0], "behind": [3], "axis": [1], "all": [1, 2, 3]}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [INPUT_NAME], ["values"], to=TensorProto.FLOAT),
            helper.make_node("Slice", ["values", "first", "behind", "axis"], ["rgb"]),
            helper.make_node("ReduceMean", ["rgb", "all"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "scale"], [OUTPUT_NAME]),
        ],
        "brightness",
        [
            helper.make_tensor_value_info(
                INPUT_NAME, TensorProto.UINT8, ["n", channels, facts.image_size, facts.image_size]
            )
        ],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["n"])],
        [
            *(helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in constants.items()),
            helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / 255]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    helper.set_model_props(model, {FACTS_KEY: facts.to_json()})
    write_model(path, model.SerializeToString())
    return path
