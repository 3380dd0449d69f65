"""Where a threshold comes from: a number with the rule and the data that fixed it."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dgfas.core.errors import UserError
from dgfas.evaluation.metrics import candidate_thresholds, equal_error_index, error_curve, worst_apcer
from dgfas.evaluation.scores import ScoreRange, Scores

THRESHOLD_RULES = ("eer", "fixed=VALUE", "bpcer=LEVEL", "apcer=LEVEL")


@dataclass(frozen=True)
class Threshold:
    """A decision threshold (live if and only if score >= value), the rule that set it and the data it came from."""

    value: float
    rule: str
    data: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a threshold must be a finite number, not {self.value}")

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.rule}; {self.data})"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Threshold":
        """Make a threshold from what `to_dict` returned."""
        return cls(float(fields["value"]), str(fields["rule"]), str(fields["data"]))


def fix_threshold(scores: Scores, rule: str, data: str) -> Threshold:
    """Set a threshold on `scores` by a rule: "eer", "fixed=0.5", "bpcer=0.05" or "apcer=0.01".

    `data` says in words which scores these are. Raises UserError for an unknown rule or a level outside [0, 1].
    """
    name, level = parse_rule(rule, scores.score_range)
    if name == "fixed":
        return fixed_threshold(level)
    if name == "bpcer":
        return threshold_at_bpcer(scores, level, data)
    if name == "apcer":
        return threshold_at_apcer(scores, level, data)
    return eer_threshold(scores, data)


def parse_rule(rule: str, score_range: ScoreRange = "unit") -> tuple[str, float]:
    """Read a threshold rule into its name and level (0 for "eer"); a fixed value has the range of the scores.

    Raises UserError if it is not one of the four.
    """
    name, equals, text = rule.partition("=")
    if rule == "eer":
        return name, 0.0
    if name in ("fixed", "bpcer", "apcer") and equals:
        try:
            level = float(text)
        except ValueError:
            level = math.nan
        any_number = name == "fixed" and score_range == "any"
        if math.isfinite(level) if any_number else 0 <= level <= 1:
            return name, level
        raise UserError(f"threshold rule {rule!r}: {text!r} is not a number{'' if any_number else ' in [0, 1]'}")
    raise UserError(f"unknown threshold rule {rule!r}; valid: {', '.join(THRESHOLD_RULES)}")


def fixed_threshold(value: float) -> Threshold:
    """Return a threshold that no data set."""
    return Threshold(value, "fixed value", "no data")


def eer_threshold(scores: Scores, data: str) -> Threshold:
    """Return the threshold where FAR and FRR, each the mean over the domains, are nearest to each other.

    Of thresholds that divide the scores alike it is the midpoint between the neighbouring scores. Raises UserError
    if a domain lacks a class or nothing was answered.
    """
    _check_domains(scores)
    curve = error_curve(scores.score, scores.is_live, domain_weights(scores))
    return Threshold(float(curve.threshold[equal_error_index(curve)]), "EER", _equally(scores, data))


def threshold_at_bpcer(scores: Scores, level: float, data: str) -> Threshold:
    """Return the highest threshold whose BPCER, the mean over the domains, is at most `level` in [0, 1].

    Raises UserError if even the lowest threshold rejects more live presentations (non-responses are rejected).
    """
    _check_domains(scores)
    curve = error_curve(scores.score, scores.is_live, domain_weights(scores))
    allowed = np.flatnonzero(curve.frr <= level + 1e-12)
    if not allowed.size:
        raise UserError(f"{scores.origin}: BPCER {level:g} cannot be reached; {curve.frr[0]:.4f} are non-responses")
    return Threshold(float(curve.threshold[allowed[-1]]), f"BPCER <= {level:g}", _equally(scores, data))


def threshold_at_apcer(scores: Scores, level: float, data: str) -> Threshold:
    """Return the lowest threshold at which the APCER of every species in every domain is at most `level` in [0, 1]."""
    _check_domains(scores)
    spoof = ~scores.is_live
    threshold = candidate_thresholds(scores.score)
    instrument = scores.rows[spoof].groupby(["domain", "species"]).ngroup().to_numpy()
    worst = worst_apcer(scores.score[spoof], instrument, threshold)
    lowest = int(np.flatnonzero(worst <= level + 1e-12)[0])
    return Threshold(float(threshold[lowest]), f"APCER of the worst species <= {level:g}", data)


def domain_weights(scores: Scores) -> np.ndarray:
    """Return one weight a row `(N,)` such that every domain has the same total in each class."""
    size = scores.rows.groupby(["domain", "label"])["label"].transform("size")
    return 1.0 / size.to_numpy(dtype=float)


def _equally(scores: Scores, data: str) -> str:
    return data if scores.rows["domain"].nunique() == 1 else f"{data}, every domain weighing equally"


def _check_domains(scores: Scores) -> None:
    for domain in sorted(scores.rows["domain"].unique()):
        scores.of_domain(domain).require_both_classes()
