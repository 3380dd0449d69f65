"""Error rates of presentation attack detection, as pure functions of scores and labels.

Everywhere: `score (N,)` is higher for more live, minus infinity for a non-response; `is_live (N,)` is boolean;
a presentation is accepted as live if and only if its score >= threshold; rates are shares in [0, 1].
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True)
class ErrorCurve:
    """FAR and FRR `(T,)` at every threshold that tells two observed scores apart, thresholds `(T,)` ascending."""

    threshold: np.ndarray
    far: np.ndarray
    frr: np.ndarray


def check_both_classes(score: np.ndarray, is_live: np.ndarray) -> None:
    """Raise ValueError unless the arrays are of one length, hold no NaN, and hold live and spoof."""
    if score.shape != is_live.shape or score.ndim != 1:
        raise ValueError(f"score {score.shape} and is_live {is_live.shape} must be vectors of one length")
    if np.isnan(score).any():
        raise ValueError("a score is NaN; a non-response is minus infinity")
    if not is_live.any() or is_live.all():
        missing = "spoof" if is_live.size and is_live.all() else "live"
        raise ValueError(f"there is no {missing} score; rates of both classes are needed")


def candidate_thresholds(score: np.ndarray) -> np.ndarray:
    """Return every threshold that divides the finite scores differently, ascending.

    The lowest score (accepts all that answered), the midpoints between neighbours, and the next number above the
    highest score (rejects all). Raises ValueError if no score is finite.
    """
    values = np.unique(score[np.isfinite(score)])
    if not values.size:
        raise ValueError("no presentation was answered, so no threshold can be fixed")
    below, above = values[:-1], values[1:]
    middle = below + (above - below) / 2
    middle = np.where(middle > below, middle, above)  # no number lies between two neighbouring floats
    return np.concatenate([values[:1], middle, [np.nextafter(values[-1], np.inf)]])


def share_accepted(score: np.ndarray, threshold: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the (weighted) share of `score (N,)` that is at or above each of `threshold (T,)`."""
    order = np.argsort(score, kind="stable")
    weight = np.ones(len(score)) if weight is None else weight
    weight_below = np.concatenate([[0.0], np.cumsum(weight[order])])
    total = weight_below[-1]
    return (total - weight_below[np.searchsorted(score[order], threshold, side="left")]) / total


def error_curve(score: np.ndarray, is_live: np.ndarray, weight: np.ndarray | None = None) -> ErrorCurve:
    """Return FAR and FRR at every candidate threshold; `weight (N,)` counts rows unequally within their class."""
    check_both_classes(score, is_live)
    weight = np.ones(len(score)) if weight is None else weight
    threshold = candidate_thresholds(score)
    far = share_accepted(score[~is_live], threshold, weight[~is_live])
    frr = 1 - share_accepted(score[is_live], threshold, weight[is_live])
    return ErrorCurve(threshold, far, frr)


def far_frr(score: np.ndarray, is_live: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return the share of spoof accepted (FAR) and of live rejected (FRR) at `threshold`."""
    check_both_classes(score, is_live)
    accepted = score >= threshold
    return float(accepted[~is_live].mean()), float((~accepted)[is_live].mean())


def hter_at(score: np.ndarray, is_live: np.ndarray, threshold: float) -> float:
    """Return the half total error rate (FAR + FRR) / 2 at `threshold`, in [0, 1]."""
    far, frr = far_frr(score, is_live, threshold)
    return (far + frr) / 2


def auc(score: np.ndarray, is_live: np.ndarray) -> float:
    """Return P(a live score > a spoof score) + P(equal) / 2 over all pairs: the area under the ROC curve.

    A non-response is below every answer, and equal to another non-response.
    """
    check_both_classes(score, is_live)
    live, spoof = int(is_live.sum()), int((~is_live).sum())
    rank_sum = rankdata(score)[is_live].sum()
    return float((rank_sum - live * (live + 1) / 2) / (live * spoof))


def equal_error_index(curve: ErrorCurve) -> int:
    """Return where |FAR - FRR| is smallest; of equal ones the lower FAR + FRR, then the higher threshold."""
    gap = np.abs(curve.far - curve.frr)
    tied = np.flatnonzero(gap <= gap.min() + 1e-12)
    total = (curve.far + curve.frr)[tied]
    return int(tied[total <= total.min() + 1e-12][-1])


def eer(score: np.ndarray, is_live: np.ndarray) -> float:
    """Return the HTER at the threshold of `equal_error_index`; nothing is interpolated."""
    curve = error_curve(score, is_live)
    return hter_at(score, is_live, float(curve.threshold[equal_error_index(curve)]))


def tpr_at_fpr(score: np.ndarray, is_live: np.ndarray, fpr: float) -> float:
    """Return the highest share of live accepted at a threshold with FAR <= `fpr`; nothing is interpolated."""
    curve = error_curve(score, is_live)
    return float(1 - curve.frr[curve.far <= fpr].min())


def bpcer_at_apcer(score: np.ndarray, is_live: np.ndarray, species: np.ndarray, apcer: float) -> float:
    """Return the lowest BPCER at a threshold where no species' APCER exceeds `apcer`; nothing is interpolated.

    At 0.1, 0.05 and 0.01 these are BPCER10, BPCER20 and BPCER100 of ISO/IEC 30107-3.
    """
    check_both_classes(score, is_live)
    threshold = candidate_thresholds(score)
    allowed = worst_apcer(score[~is_live], species[~is_live], threshold) <= apcer + 1e-12
    return float(1 - share_accepted(score[is_live], threshold)[allowed].max())


def worst_apcer(spoof_score: np.ndarray, species: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the highest share of a species accepted `(T,)` at each of `threshold (T,)`; both inputs are `(N,)`."""
    shares = [share_accepted(spoof_score[species == name], threshold) for name in np.unique(species)]
    return np.max(shares, axis=0)


def roc_points(score: np.ndarray, is_live: np.ndarray, fpr: np.ndarray) -> np.ndarray:
    """Return the highest share of live accepted `(F,)` at a threshold with FAR <= each of `fpr (F,)`."""
    curve = error_curve(score, is_live)
    first_allowed = np.array([np.flatnonzero(curve.far <= limit + 1e-12)[0] for limit in fpr])
    return 1 - curve.frr[first_allowed]


def apcer_by_species(score: np.ndarray, is_live: np.ndarray, species: np.ndarray, threshold: float) -> dict[str, float]:
    """Return the share of the attacks of each species that is accepted as live (ISO/IEC 30107-3 APCER)."""
    accepted = score >= threshold
    return {str(name): float(accepted[~is_live & (species == name)].mean()) for name in sorted(set(species[~is_live]))}


def bpcer(score: np.ndarray, is_live: np.ndarray, threshold: float) -> float:
    """Return the share of live presentations that is rejected (ISO/IEC 30107-3 BPCER), equal to FRR."""
    return far_frr(score, is_live, threshold)[1]


def acer(apcer: dict[str, float], bpcer: float) -> float:
    """Return (APCER of the worst species + BPCER) / 2, as the OULU-NPU protocol has it."""
    return (max(apcer.values()) + bpcer) / 2
