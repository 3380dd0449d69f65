"""From a margin to P(live), so that a threshold means the same as for a network."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import expit

SMALLEST_SLOPE = 1e-3  # a score keeps the order of the margins, even where they are worth nothing


@dataclass(frozen=True)
class Calibration:
    """P(live) = 1 / (1 + exp(-(slope * margin + offset))), slope > 0."""

    slope: float
    offset: float

    def probability(self, margin: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
        """Return P(live) in (0, 1), in the order of the margins."""
        probability: Float[ndarray, " n"] = expit(self.slope * margin + self.offset)
        return probability


def cell_weights(live: Bool[ndarray, " n"], domain: Shaped[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Return a weight a row: both classes have the same total, and in a class every domain; the mean is 1."""
    weight = np.zeros(len(live))
    for label in (False, True):
        domains = np.unique(domain[live == label])
        for name in domains:
            cell = (live == label) & (domain == name)
            weight[cell] = 1 / (len(domains) * cell.sum())
    return weight / weight.mean()


def fit_calibration(
    margin: Float[ndarray, " n"], live: Bool[ndarray, " n"], weight: Float[ndarray, " n"]
) -> tuple[Calibration, float]:
    """Fit slope and offset by weighted cross-entropy; return them and the cross-entropy in nats.

    The targets are Platt's, (n_live + 1) / (n_live + 2) and 1 / (n_spoof + 2), so that separable margins have a finite
    slope. Platt, "Probabilistic outputs for support vector machines" (1999), section 2.2.
    """
    target = np.where(live, (live.sum() + 1) / (live.sum() + 2), 1 / ((~live).sum() + 2))
    share = weight / weight.sum()

    def loss_and_gradient(parameters: Float[ndarray, "2"]) -> tuple[float, Float[ndarray, "2"]]:
        logit = parameters[0] * margin + parameters[1]
        loss = float(share @ (np.logaddexp(0, logit) - target * logit))
        slip = share * (expit(logit) - target)
        return loss, np.array([slip @ margin, slip.sum()])

    bounds = [(SMALLEST_SLOPE, None), (None, None)]
    found = minimize(loss_and_gradient, [1.0, 0.0], jac=True, bounds=bounds, method="L-BFGS-B")
    return Calibration(float(found.x[0]), float(found.x[1])), float(found.fun)
