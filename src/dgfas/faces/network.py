"""Run one of the model files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float

from dgfas.core.errors import UserError
from dgfas.faces.models import REMEDY, model_path


class Network:
    """One `.tflite` file, run on one thread. An object must not be called from two threads at once.

    Raises UserError if it cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        path = model_path(name)
        try:
            with _silent_stderr():
                self._interpreter = Interpreter(str(path), num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{path}: LiteRT cannot load the model ({error}); {REMEDY}") from error
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, image: Float[np.ndarray, "h w 3"]) -> list[np.ndarray]:
        """Return copies of the outputs for one image."""
        self._interpreter.set_tensor(self._input, image[None].astype(np.float32, copy=False))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Hide the line that LiteRT's C++ code prints about its delegate; it has no setting for that."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
