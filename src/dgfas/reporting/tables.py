"""Results as plain-text tables."""

from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from dgfas.evaluation.intervals import BootstrapIntervals, Interval
from dgfas.evaluation.measurement import Rate
from dgfas.evaluation.seeds import PairedComparison
from dgfas.evaluation.tracks import Evaluation, TrackResult

NOTES = (
    "In brackets: 95 % intervals, by drawing whole persons with replacement.",
    "AUC, EER, TPR and BPCER10 to BPCER100 are read off the target's own scores and use no threshold from above.",
    "BPCER10, 20, 100: the BPCER where the APCER of the worst species is at most 10, 5, 1 %.",
    "Without an answer (no face found) counts as rejected: an error for live, right for spoof.",
)
OTHER_TEST_SET = " †"  # behind what was measured on other recordings than its neighbours
USES_TARGET = " (uses target images)"  # behind a method that adapts to unlabelled images of the target
EXACT_NOTE = "* No error was seen: the interval is exact, over persons (Clopper and Pearson), not the bootstrap's."


def percent(share: float) -> str:
    """Write a share in [0, 1] as a percentage with two decimals, without the sign."""
    return f"{100 * share:.2f}"


def percent_interval(interval: Interval | None) -> str:
    """Write an interval of shares as percentages; nothing where there is none."""
    return "" if interval is None else f"[{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def difference_in_points(pair: PairedComparison) -> str:
    """Write the mean difference of two shares in points, with its 95 % interval where there is one."""
    limits = "" if pair.interval is None else f" [{100 * pair.interval[0]:+.1f}, {100 * pair.interval[1]:+.1f}]"
    return f"{100 * pair.mean:+.1f}{limits}"


def bootstrap_interval(intervals: BootstrapIntervals, metric: Literal["hter", "auc"]) -> str:
    """Write the interval of HTER or AUC as percentages, with a star where it is not of the bootstrap."""
    interval = intervals.hter if metric == "hter" else intervals.auc
    return percent_interval(interval) + ("*" if metric in intervals.exact else "")


def bpcer_name(apcer: float) -> str:
    """Return the name of the BPCER at an APCER in (0, 1]: BPCER10 for 0.1, BPCER100 for 0.01 (ISO/IEC 30107-3)."""
    return f"BPCER{1 / apcer:g} %"


def count_limits(errors: int, interval: Interval | None) -> str:
    """Write the exact 95 % interval of a count as percentages; of no error only its upper bound, "≤ 2.4"."""
    if interval is None or errors:
        return percent_interval(interval)
    return f"≤ {100 * interval[1]:.1f}"


def tracks_table(evaluation: Evaluation) -> Table:
    """Return one table of both tracks: a column a track and level, a row a metric; it fits 80 characters.

    The lines below it say how each column's checkpoint and threshold were fixed.
    """
    table = _empty_table(evaluation, evaluation.title)
    table.caption, table.caption_justify = Text(provenance(evaluation)), "left"
    columns = [_cells(result) for result in evaluation.results]
    for name in columns[0]:
        table.add_row(Text(name), *(Text(column[name]) for column in columns))
    return table


def species_table(evaluation: Evaluation) -> Table:
    """Return the errors of each species (APCER) and of live (BPCER): a row a species, a column a track and level.

    Recordings also have the exact 95 % interval, or its upper bound where no error was seen; frames of one recording
    are not independent, so frames have none.
    """
    table = _empty_table(evaluation, "APCER % of each species, and BPCER % (live)")
    for species in sorted({name for result in evaluation.results for name in result.measurement.apcer}):
        table.add_row(Text(species), *(_rate(result.measurement.apcer[species]) for result in evaluation.results))
    table.add_row("live", *(_rate(result.measurement.bpcer) for result in evaluation.results))
    return table


def provenance(evaluation: Evaluation) -> str:
    """Say a line a column by which rule and on which data its checkpoint and threshold were fixed."""
    lines = []
    for result in evaluation.results:
        threshold = result.measurement.threshold
        among = "" if result.checkpoint is None else f", of {result.candidates} checkpoints"
        lines.append(
            f"{result.track}, {result.level}: checkpoint: {result.selection}{among}; "
            f"threshold: {threshold.rule}, {threshold.data}."
        )
    exact = any(result.measurement.bootstrap.exact for result in evaluation.results)
    return "\n".join([*lines, *NOTES, *([EXACT_NOTE] if exact else [])])


def _empty_table(evaluation: Evaluation, title: str) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("")
    for result in evaluation.results:
        table.add_column(f"{result.track}\n{result.level}", justify="right", no_wrap=True)
    return table


def _cells(result: TrackResult) -> dict[str, str]:
    measured = result.measurement
    spoof = sum(rate.total for rate in measured.apcer.values())
    cells = {
        "live, spoof": f"{measured.bpcer.total}, {spoof}",
        "checkpoint": "–" if result.checkpoint is None else str(result.checkpoint),
        "threshold": f"{measured.threshold.value:.4f}",
        "HTER %": _lines(percent(measured.hter), bootstrap_interval(measured.bootstrap, "hter")),
        "AUC %": _lines(percent(measured.auc), bootstrap_interval(measured.bootstrap, "auc")),
        "EER %": percent(measured.eer),
        "FAR %": percent(measured.far),
        "FRR %": percent(measured.frr),
        "APCER % worst": _lines(percent(measured.apcer_max), measured.worst_species),
        "BPCER %": percent(measured.bpcer.share),
        "ACER %": percent(measured.acer),
    }
    cells |= {f"TPR at FPR {100 * float(fpr):g} %": percent(tpr) for fpr, tpr in measured.tpr_at_fpr.items()}
    cells |= {bpcer_name(float(apcer)): percent(bpcer) for apcer, bpcer in measured.bpcer_at_apcer.items()}
    return cells | {"APNRR %": percent(measured.apnrr), "BPNRR %": percent(measured.bpnrr)}


def _rate(rate: Rate) -> Text:
    return Text(_lines(percent(rate.share), f"{rate.errors} of {rate.total}", count_limits(rate.errors, rate.interval)))


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
