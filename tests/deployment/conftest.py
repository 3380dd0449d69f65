"""The tiny model file, a detector with it, and a client of a service around that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgi_client import Client

from dgfas.deployment.detector import Detector
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits
from tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose score is the brightness of the crop. Do not change it."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def tiny_detector(models: None, tiny_model: Path) -> Detector:
    return Detector.load(tiny_model)


Serve = Callable[..., Client]


@pytest.fixture
def serve(tiny_detector: Detector) -> Serve:
    """Return a starter of services in this process: `limits` by name, and `key`; gives a client."""

    def start(key: str | None = None, **limits: Any) -> Client:
        return Client(create_app(tiny_detector, ServiceLimits(**{"workers": 1, **limits}), key))

    return start
