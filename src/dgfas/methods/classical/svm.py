"""A support vector machine with Gaussian kernel as plain numbers: scikit-learn fits it, NumPy evaluates it."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from sklearn.svm import SVC

ROWS_AT_ONCE = 512  # bounds the kernel matrix


@dataclass(frozen=True)
class RbfSvm:
    """Margin = sum over support vectors s of dual_s * exp(-gamma |z - s|^2) + intercept, z = (x - mean) / scale."""

    mean: Float[ndarray, " d"]
    scale: Float[ndarray, " d"]
    support: Float[ndarray, "s d"]  # standardised
    dual: Float[ndarray, " s"]
    intercept: float
    gamma: float

    @classmethod
    def fit(
        cls,
        features: Float[ndarray, "n d"],
        live: Bool[ndarray, " n"],
        weight: Float[ndarray, " n"],
        c: float,
        gamma_times_dimensions: float,
    ) -> "RbfSvm":
        """Standardise each dimension, then fit. `weight` multiplies the penalty `c` of each row. Deterministic.

        A dimension without variation is left unscaled. Raises ValueError (scikit-learn's) if a class is missing.
        """
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        scale = np.where(deviation > 1e-12, deviation, 1.0)
        gamma = gamma_times_dimensions / features.shape[1]
        machine = SVC(C=c, gamma=gamma, cache_size=500).fit((features - mean) / scale, live, sample_weight=weight)
        return cls(mean, scale, machine.support_vectors_, machine.dual_coef_[0], float(machine.intercept_[0]), gamma)

    def margin(self, features: Float[ndarray, "n d"]) -> Float[ndarray, " n"]:
        """Return the signed margin of each row, positive on the live side."""
        parts = [
            self._margin(features[start : start + ROWS_AT_ONCE]) for start in range(0, len(features), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _margin(self, features: Float[ndarray, "n d"]) -> Float[ndarray, " n"]:
        z = (features - self.mean) / self.scale
        squares = (z**2).sum(axis=1)[:, None] + (self.support**2).sum(axis=1) - 2 * z @ self.support.T
        margin: Float[ndarray, " n"] = np.exp(-self.gamma * np.maximum(squares, 0)) @ self.dual + self.intercept
        return margin

    def state(self) -> dict[str, ndarray]:
        """Return all numbers as arrays."""
        return {name: np.asarray(value) for name, value in asdict(self).items()}

    @classmethod
    def from_state(cls, state: dict[str, ndarray]) -> "RbfSvm":
        """Make the machine that `state` came from."""
        arrays = {name: state[name] for name in ("mean", "scale", "support", "dual")}
        return cls(**arrays, intercept=float(state["intercept"]), gamma=float(state["gamma"]))
