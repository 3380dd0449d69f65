"""What every hand-crafted method is: a feature vector, one or more RBF SVMs, and a calibration to P(live).

Fitting is deterministic: no step draws random numbers.
"""

import itertools
import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from numpy import ndarray
from pydantic import Field, PositiveFloat

from dgfas.core.config import Strict, validated
from dgfas.core.errors import UserError
from dgfas.evaluation.calibration import Calibration, calibration_error, cell_weights, fit_calibration
from dgfas.methods.classical.svm import RbfSvm


class ClassicalOptions(Strict):
    """The options of a hand-crafted method; its YAML gives every value and its source."""

    penalty: tuple[PositiveFloat, ...] = Field(min_length=1)  # values of the SVM's C that are tried
    gamma: tuple[PositiveFloat, ...] = Field(min_length=1)  # values tried, in units of 1 / dimensions
    samples_per_cell: int = Field(ge=1)  # at most so many training samples of a domain and class, evenly spaced


@dataclass(frozen=True)
class Examples:
    """Feature vectors with what is known about each. `species` is "live" for live rows."""

    features: Float[ndarray, "n d"]
    live: Bool[ndarray, " n"]
    domain: Shaped[ndarray, " n"]
    species: Shaped[ndarray, " n"]

    def __getitem__(self, rows: Bool[ndarray, " n"]) -> "Examples":
        return Examples(self.features[rows], self.live[rows], self.domain[rows], self.species[rows])

    @property
    def weight(self) -> Float[ndarray, " n"]:
        """A weight a row such that classes, and domains in a class, count alike; the mean is 1."""
        return cell_weights(self.live, self.domain) * len(self.live)


class ClassicalMethod(ABC):
    """A hand-crafted way of scoring: `features` describes faces, `fit` learns on descriptions, `score` is P(live)."""

    Options: ClassVar[type[ClassicalOptions]] = ClassicalOptions
    #: Length of the feature vector.
    dimensions: ClassVar[int]
    #: Whether a feature vector describes a recording's consecutive frames (all get its score) and not one frame.
    needs_consecutive_frames: ClassVar[bool] = False
    #: How many frames a feature vector needs at least.
    least_frames: ClassVar[int] = 1

    def __init__(self, options: ClassicalOptions) -> None:
        self.options = options
        self.machines: list[RbfSvm] = []  # empty until fitted
        self.calibration = Calibration(slope=1.0, intercept=0.0)
        self.chosen: dict[str, float] = {}  # penalty and gamma taken, and their cross-entropy on development data

    @abstractmethod
    def features(self, faces: Iterable[UInt8[ndarray, "h w 3"]]) -> Float[ndarray, " d"]:
        """Describe RGB crops: one frame, or a recording's consecutive frames in temporal order (read one by one)."""

    def parts(self, training: Examples) -> list[Examples]:
        """Return the examples that each machine learns from; one machine on all unless a method says otherwise."""
        return [training]

    def fit(self, training: Examples, development: Examples) -> None:
        """Fit machines and calibration: of all (penalty, gamma) the pair with the lowest development cross-entropy.

        In it, classes and domains weigh equally. Ties go to the first pair. Raises UserError if a class is missing.
        """
        for examples, name in ((training, "training"), (development, "development")):
            if examples.live.all() or not examples.live.any():
                missing = "spoof" if examples.live.any() else "live"
                raise UserError(f"the source {name} data hold no {missing} frame; {type(self).__name__} needs both")
        best = np.inf
        for penalty, gamma in itertools.product(self.options.penalty, self.options.gamma):
            machines = [
                RbfSvm.fit(part.features, part.live, part.weight, penalty, gamma) for part in self.parts(training)
            ]
            margin = fused_margin(machines, development.features)
            calibration = fit_calibration(margin, development.live, development.domain)
            loss = calibration_error(calibration, margin, development.live, development.domain)
            if loss < best:
                best, self.machines, self.calibration = loss, machines, calibration
                self.chosen = {"penalty": penalty, "gamma": gamma, "development_cross_entropy": loss}

    def score(self, features: Float[ndarray, "n d"]) -> Float[ndarray, " n"]:
        """Return P(live) in (0, 1) of each row, calibrated on source development data.

        Raises ValueError before `fit`.
        """
        if not self.machines:
            raise ValueError(f"{type(self).__name__} has not been fitted")
        return self.calibration.apply(fused_margin(self.machines, features))

    def state(self) -> dict[str, ndarray]:
        """Return everything that was fitted, as arrays of numbers."""
        arrays = {
            f"machine{k}.{name}": value
            for k, machine in enumerate(self.machines)
            for name, value in machine.state().items()
        }
        calibration = np.array([self.calibration.slope, self.calibration.intercept])
        chosen = {f"chosen.{name}": np.array(value) for name, value in self.chosen.items()}
        return {"machines": np.array(len(self.machines)), "calibration": calibration, **chosen, **arrays}

    @classmethod
    def from_state(cls, options: ClassicalOptions, state: dict[str, ndarray]) -> "ClassicalMethod":
        """Make the fitted method that `state` came from. Raises KeyError if an array is missing."""
        method = cls(options)
        for k in range(int(state["machines"])):
            method.machines.append(RbfSvm.from_state(_below(f"machine{k}.", state)))
        method.calibration = Calibration(*(float(number) for number in state["calibration"]))
        method.chosen = {name: float(value) for name, value in _below("chosen.", state).items()}
        return method

    def save(self, path: Path) -> None:
        """Write the fitted method as a NumPy archive of plain arrays and one JSON text; nothing is pickled."""
        header = json.dumps({"method": type(self).__name__, "options": self.options.model_dump()})
        with path.open("wb") as file:
            np.savez(file, header=np.array(header), **self.state())  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "ClassicalMethod":
        """Read what `save` wrote. Raises UserError if the file is not one of this method."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                state = dict(archive)
            header = json.loads(str(state.pop("header")))
            if header["method"] != cls.__name__:
                raise UserError(f"{path}: holds a fitted {header['method']}, not {cls.__name__}; load it as that")
            return cls.from_state(validated(cls.Options, header["options"], str(path)), state)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: is not a fitted {cls.__name__} ({error}); fit it again") from error


def fused_margin(machines: list[RbfSvm], features: Float[ndarray, "n d"]) -> Float[ndarray, " n"]:
    """Return the smallest margin over the machines: live only if no machine sees its attack."""
    margin: Float[ndarray, " n"] = np.min([machine.margin(features) for machine in machines], axis=0)
    return margin


def _below(prefix: str, state: dict[str, ndarray]) -> dict[str, ndarray]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
