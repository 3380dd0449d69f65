"""dgfas: domain-generalised face anti-spoofing."""

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Return `dgfas.Detector`, which is imported when it is first asked for."""
    if name == "Detector":
        return importlib.import_module("dgfas.deployment.detector").Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
