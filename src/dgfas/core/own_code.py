"""Python files of a user: methods and readers that do not come with the package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def module_of(path: Path, kind: str) -> ModuleType:
    """Run the Python file `path` and return its module; `kind` ("method", "reader") keeps equal file names apart."""
    spec = importlib.util.spec_from_file_location(f"dgfas_{kind}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where annotations written as strings are looked up
    spec.loader.exec_module(module)
    return module
