"""Errors by species of a study: counts of recordings with exact intervals."""

from collections.abc import Sequence

import pandas as pd

from dgfas.evaluation.intervals import clopper_pearson
from dgfas.evaluation.tracks import Track
from dgfas.reporting.study import marked
from dgfas.reporting.tables import count_limits

SPECIES_WORDS = (
    "Track B, by recording: share of errors in percent, errors of all presentations, exact 95 % interval (Clopper and "
    "Pearson; of no error its upper bound). Live: BPCER; the others: APCER, never pooled over species. Where each seed "
    "has persons of its own, its presentations are counted together; where all seeds share them, the seeds' errors "
    "stand one by one and the interval is that of the worst seed. Presentations are taken as independent: read the "
    "intervals as a lower bound of the uncertainty."
)


def species_table(study: pd.DataFrame, task: str, track: Track, labels: Sequence[str]) -> pd.DataFrame:
    """Return the errors of each species and of live recordings on one task: a row a label, a column a species."""
    rows = study[(study["task"] == task) & (study["track"] == track) & (study["level"] == "recording")]
    own_persons = rows["persons"].nunique() == rows["seed"].nunique()
    species = sorted({name for found in rows["apcer"] for name in found})
    table = []
    for label in labels:
        of_label = rows[rows["label"] == label].sort_values("seed")
        rates = {"live": list(of_label["bpcer"])}
        rates |= {name: [found[name] for found in of_label["apcer"] if name in found] for name in species}
        table.append(
            {"method": marked(study, label)} | {name: _text(counts, own_persons) for name, counts in rates.items()}
        )
    return pd.DataFrame(table)


def _text(counts: Sequence[tuple[int, int]], own_persons: bool) -> str:
    """Write (errors, presentations) of each seed, and the interval."""
    counts = [(errors, total) for errors, total in counts if total]
    if not counts:
        return "–"
    errors, total = sum(errors for errors, _ in counts), sum(total for _, total in counts)
    share = f"{100 * errors / total:.1f}: "
    if own_persons or len(counts) == 1:
        return f"{share}{errors} of {total} {_limits(errors, total)}"
    worst = max(counts, key=lambda count: count[0] / count[1])
    each = ", ".join(str(errors) for errors, _ in counts)
    of = "/".join(dict.fromkeys(str(total) for _, total in counts))
    return f"{share}{each} of {of} {_limits(*worst)}"


def _limits(errors: int, total: int) -> str:
    text = count_limits(errors, clopper_pearson(errors, total))
    return text if errors else f"({text})"
