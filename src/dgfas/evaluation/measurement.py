"""Everything that is measured on one set of scores at one threshold."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dgfas.evaluation import metrics
from dgfas.evaluation.intervals import BootstrapIntervals, Interval, bootstrap_by_person, clopper_pearson
from dgfas.evaluation.scores import Level, Scores
from dgfas.evaluation.thresholds import Threshold

FPR_LEVELS = (0.01, 0.1)
APCER_LEVELS = (0.1, 0.05, 0.01)


@dataclass(frozen=True)
class Rate:
    """`errors` of `total` presentations, and the exact 95 % interval where presentations are recordings."""

    errors: int
    total: int
    interval: Interval | None

    @property
    def share(self) -> float:
        """The rate in [0, 1]."""
        return self.errors / self.total


@dataclass(frozen=True)
class Measurement:
    """Rates in [0, 1] of one set of scores at one threshold; AUC, EER and rates at fixed other rates need none.

    A non-response counts as rejected: an error for live (in FRR and BPCER), no error for spoof.
    """

    threshold: Threshold
    hter: float
    far: float  # share of all spoof accepted
    frr: float  # share of live rejected
    auc: float
    eer: float  # at the threshold of these same scores
    tpr_at_fpr: dict[str, float]  # at thresholds of these same scores
    bpcer_at_apcer: dict[str, float]  # at thresholds of these same scores; the APCER is that of the worst species
    apcer: dict[str, Rate]  # a species
    bpcer: Rate
    acer: float
    apnrr: float  # share of spoof without an answer
    bpnrr: float  # share of live without an answer
    bootstrap: BootstrapIntervals
    recordings: int

    @property
    def worst_species(self) -> str:
        """The species with the highest APCER."""
        return max(sorted(self.apcer), key=lambda name: self.apcer[name].share)

    @property
    def apcer_max(self) -> float:
        """The APCER of the worst species."""
        return self.apcer[self.worst_species].share

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain JSON values; a rate also with its share."""
        fields = asdict(self)
        fields["apcer"] = {name: {"share": rate.share, **asdict(rate)} for name, rate in self.apcer.items()}
        fields["bpcer"] = {"share": self.bpcer.share, **asdict(self.bpcer)}
        return {**fields, "apcer_max": self.apcer_max, "worst_species": self.worst_species}


def measure(scores: Scores, threshold: Threshold, level: Level, resamples: int = 10_000, seed: int = 0) -> Measurement:
    """Measure `scores`, already at `level`, at a threshold. Raises UserError if a class or every score is missing."""
    score, is_live, species = scores.score, scores.is_live, scores.column("species")
    scores.require_both_classes()
    accepted = score >= threshold.value
    by_species = metrics.apcer_by_species(score, is_live, species, threshold.value)
    far, frr = metrics.far_frr(score, is_live, threshold.value)
    return Measurement(
        threshold=threshold,
        hter=metrics.hter_at(score, is_live, threshold.value),
        far=far,
        frr=frr,
        auc=metrics.auc(score, is_live),
        eer=metrics.eer(score, is_live),
        tpr_at_fpr={f"{fpr:g}": metrics.tpr_at_fpr(score, is_live, fpr) for fpr in FPR_LEVELS},
        bpcer_at_apcer={f"{apcer:g}": metrics.bpcer_at_apcer(score, is_live, species, apcer) for apcer in APCER_LEVELS},
        apcer={name: _rate(accepted[species == name], level) for name in by_species},
        bpcer=_rate(~accepted[is_live], level),
        acer=metrics.acer(by_species, frr),
        apnrr=float((~scores.answered)[~is_live].mean()),
        bpnrr=float((~scores.answered)[is_live].mean()),
        bootstrap=bootstrap_by_person(score, is_live, scores.person, threshold.value, resamples, seed),
        recordings=len(scores.rows.drop_duplicates(["domain", "recording"])),
    )


def _rate(is_error: np.ndarray, level: Level) -> Rate:
    """Count errors; frames of one recording are not independent, so that only recordings have an exact interval."""
    errors, total = int(is_error.sum()), len(is_error)
    return Rate(errors, total, clopper_pearson(errors, total) if level == "recording" else None)
