"""From a method's raw score (any real number) to a score in [0, 1], without changing any order."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from dgfas.core.label import Label

LEAST_SLOPE = 1e-3  # per standard deviation of the raw score: keeps the order of live and spoof, whatever the data say
LOGISTIC_RANGE = 15.0  # |slope * raw + intercept| beyond which the logistic function is replaced by a slower tail


@dataclass(frozen=True)
class Calibration:
    """A strictly increasing map from raw scores to (0, 1): P(live | raw) = logistic(slope * raw + intercept).

    Where the argument z exceeds `LOGISTIC_RANGE` = Z in size, 1 - P falls like (1 - P(Z)) / (1 + |z| - Z), so that
    very confident scores do not become equal by rounding and AUC is unchanged.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope > 0):
            raise ValueError(f"slope {self.slope} must be positive, and intercept {self.intercept} finite")

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Map raw scores `(N,)` to P(live) `(N,)`. Raises ValueError if one is not a finite number."""
        raw = np.asarray(raw, dtype=float)
        if not np.isfinite(raw).all():
            raise ValueError("a raw score is not a finite number")
        argument = self.slope * raw + self.intercept
        size = np.abs(argument)
        unlikely = expit(-np.minimum(size, LOGISTIC_RANGE)) / (1 + np.maximum(size - LOGISTIC_RANGE, 0))
        return np.where(argument > 0, 1 - unlikely, unlikely)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Calibration":
        """Make a calibration from what `to_dict` returned."""
        return cls(float(fields["slope"]), float(fields["intercept"]))


def fit_calibration(raw: np.ndarray, label: np.ndarray, domain: np.ndarray) -> Calibration:
    """Fit logistic calibration on source development data, each class of each domain weighing equally.

    `raw (N,)` higher for more live, `label (N,)` of `Label`, `domain (N,)` names. Platt's method: cross-entropy with
    targets (n_live + 1) / (n_live + 2) and 1 / (n_spoof + 2) instead of 1 and 0, so that the slope is finite on
    separable data; the slope is held above zero. A score of 0.5 means that live and spoof are equally likely if they
    are equally frequent. Source: Platt 1999, "Probabilistic outputs for support vector machines". Raises ValueError
    if a raw score is not finite or a class is missing.
    """
    raw = np.asarray(raw, dtype=float)
    is_live = np.asarray(label) == Label.LIVE
    if not np.isfinite(raw).all():
        raise ValueError("a raw score is not a finite number")
    if not is_live.any() or is_live.all():
        raise ValueError("calibration needs live and spoof scores")
    wanted, weight = _wanted(is_live), cell_weights(is_live, np.asarray(domain))
    centre, spread = float(raw.mean()), float(raw.std()) or 1.0
    standard = (raw - centre) / spread

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        argument = parameters[0] * standard + parameters[1]
        error = weight * (expit(argument) - wanted)
        return _cross_entropy(argument, wanted, weight), np.array([error @ standard, error.sum()])

    bounds = [(LEAST_SLOPE, None), (None, None)]
    slope, intercept = minimize(loss, x0=[1.0, 0.0], jac=True, bounds=bounds, method="L-BFGS-B").x
    return Calibration(float(slope / spread), float(intercept - slope * centre / spread))


def calibration_error(calibration: Calibration, raw: np.ndarray, label: np.ndarray, domain: np.ndarray) -> float:
    """Return the cross-entropy in nats that `fit_calibration` minimises, of the same arguments."""
    is_live = np.asarray(label) == Label.LIVE
    argument = calibration.slope * np.asarray(raw, dtype=float) + calibration.intercept
    return _cross_entropy(argument, _wanted(is_live), cell_weights(is_live, np.asarray(domain)))


def cell_weights(is_live: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """Return weights `(N,)` that sum to one, such that both classes and, in each, all domains have equal totals."""
    weight = np.zeros(len(is_live))
    for of_class in (is_live, ~is_live):
        names = np.unique(domain[of_class])
        for name in names:
            rows = of_class & (domain == name)
            weight[rows] = 0.5 / (len(names) * rows.sum())
    return weight


def _wanted(is_live: np.ndarray) -> np.ndarray:
    """Return Platt's targets in the place of 1 and 0."""
    live, spoof = int(is_live.sum()), int((~is_live).sum())
    return np.where(is_live, (live + 1) / (live + 2), 1 / (spoof + 2))


def _cross_entropy(argument: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ (np.logaddexp(0, argument) - wanted * argument))
