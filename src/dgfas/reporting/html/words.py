"""Numbers as a report writes them, and the smallest table that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Literal

from dgfas.evaluation.intervals import clopper_pearson
from dgfas.evaluation.seeds import interval_of_mean, variance_of_interval
from dgfas.reporting.html.stored import StoredRate, StoredResult
from dgfas.reporting.tables import count_limits, percent, percent_interval

#: Below this number of presentations of a species no APCER is printed: even 0 errors of 29 leave 12 % open.
LEAST_PRESENTATIONS = 30
TOO_FEW = f"no rate below {LEAST_PRESENTATIONS}"
DASH = "–"


@dataclass(frozen=True)
class Table:
    """What the page shows as a table: cells are texts, a line break in a cell is one on the page.

    The first `headings` columns of a row are its headings; the others are numbers.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    headings: int = 1
    texts: bool = False  # the cells are words, not numbers


def spread(shares: Sequence[float]) -> str:
    """Write shares in [0, 1] of several seeds as percentages: mean ± standard deviation, of one seed the share."""
    if len(shares) == 1:
        return percent(shares[0])
    return f"{percent(mean(shares))} ± {percent(stdev(shares))}"


def gap(deployable: Sequence[float], oracle: Sequence[float]) -> str:
    """Write the mean difference of two tracks in percentage points, with its sign."""
    return f"{100 * mean(one - other for one, other in zip(deployable, oracle, strict=True)):+.2f}"


def with_interval(results: Sequence[StoredResult], metric: Literal["hter", "auc"], independent: bool = True) -> str:
    """Write HTER or AUC with a 95 % interval: of one seed that of the bootstrap, of several that of their mean.

    `independent`: each seed was measured on recordings of its own.
    """
    shares = [getattr(result, metric) for result in results]
    intervals = [getattr(result.bootstrap, metric) for result in results]
    star = "*" if len(results) == 1 and metric in results[0].bootstrap.exact else ""
    if len(results) == 1:
        interval = intervals[0]
    else:
        known = [(share, limits) for share, limits in zip(shares, intervals, strict=True) if limits is not None]
        variance = [variance_of_interval(share, limits) for share, limits in known]
        interval = interval_of_mean(shares, variance, same_persons=not independent)
    return spread(shares) if interval is None else f"{spread(shares)}\n{percent_interval(interval)}{star}"


def enough(rates: Sequence[StoredRate]) -> bool:
    """Whether there are presentations enough to print a rate, in every one of the seeds."""
    return all(rate.total >= LEAST_PRESENTATIONS for rate in rates)


def rate(rates: Sequence[StoredRate], independent: bool) -> str:
    """Write a rate of one or several seeds: the count, the exact 95 % interval, and the range over the seeds.

    "0 of 150 (≤ 2.4 %)". Seeds are counted together, and have an interval, only if `independent`: each was measured on
    recordings of its own. Where a seed has fewer presentations than `LEAST_PRESENTATIONS` only the count is written.
    """
    errors, total = sum(one.errors for one in rates), sum(one.total for one in rates)
    if not enough(rates):
        return f"{errors} of {total}\n{TOO_FEW}"
    limits = clopper_pearson(errors, total) if independent else None
    lines = [percent(mean([one.share for one in rates])) + " %", f"{errors} of {total}"]
    if limits is not None:
        lines[1] += f" ({count_limits(errors, limits)} %)" if errors == 0 else f", {count_limits(errors, limits)} %"
    if len(rates) > 1:
        low, high = min(one.share for one in rates), max(one.share for one in rates)
        lines.append(f"seeds {percent(low)} to {percent(high)} %")
    return "\n".join(lines)
