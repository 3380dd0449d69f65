"""The tiny model file."""

from pathlib import Path

import pytest

from tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose score is the brightness of the crop. Do not change it."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.onnx")
