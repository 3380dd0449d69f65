"""What the papers claim, their best row above the others of a table, and whether our numbers show it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from dgfas.evaluation.published import Metric, published_values
from dgfas.evaluation.seeds import PairedComparison, compare_paired
from dgfas.reporting.beside_papers import TRACK_LETTERS, PaperTask, paper_tasks
from dgfas.reporting.cells import seed_means
from dgfas.reporting.study import markdown, marked, odd_labels
from dgfas.reporting.tables import difference_in_points

SEEN, REVERSED, OPEN, NO_CLAIM = "seen", "reversed", "cannot be told", "no claim"

CLAIMS_WORDS = (
    "A paper claims that its own best row is better than the others of its table. Differences are the best row minus "
    "the other, in points, on the mean of those of its tasks that are here. A claim is seen or reversed where "
    "the 95 % interval of our difference (Student's t over seeds, paired) leaves zero out, else it cannot be told; "
    "where the paper itself prints the other ahead on these tasks there is no claim. "
    "Nothing is corrected for the number of claims: of forty that are untrue, about one is seen by chance."
)


@dataclass(frozen=True)
class Claims:
    """A table of a paper: the best of its own rows against each other row that the study has."""

    best: str
    source: str
    metric: Metric
    same_data: bool  # whether all our tasks are on the paper's data sets
    table: pd.DataFrame

    @property
    def title(self) -> str:
        """What is compared, and where the paper prints it."""
        return f"{self.source}: {self.best} minus the others, {self.metric.upper()}"


def paper_claims(study: pd.DataFrame) -> list[Claims]:
    """Return the papers' tables that a study has two rows of, the best of the authors' own among them.

    The columns of each: `against` (a label), `paper` (its difference), and for each track our difference by recording
    with its interval, and the verdict. By HTER; by AUC where the paper prints no HTER.
    """
    labels, odd = set(study["label"]), odd_labels(study)
    every, tables = paper_tasks(study), list(_printed())
    found = []
    for same_data in (True, False):  # real data and those that stand for them are never one mean
        tasks = {each.paper: each for each in every if each.same_data is same_data}
        for best, source, metric, printed in tables:
            rows = [
                row
                for label in printed.index
                if label != best and {label, best} <= labels
                for row in _against(study, tasks, metric, printed.loc[best], printed.loc[label], odd)
            ]
            if rows:
                found.append(Claims(best, source, metric, same_data, pd.DataFrame(rows)))
    return found


def verdicts(found: Iterable[Claims]) -> pd.DataFrame:
    """Return a row a claim and track: the labels against which it is seen and reversed, and how many cannot be told."""
    rows = []
    for claims in found:
        for track, letter in TRACK_LETTERS:
            verdict = claims.table[f"claim, track {letter}"]
            named = {word: ", ".join(claims.table["against"][verdict == word]) or "–" for word in (SEEN, REVERSED)}
            row = {"claim": f"{claims.source}: {claims.best} above", "track": f"{letter} {track}"}
            rows.append(row | named | {OPEN: int((verdict == OPEN).sum())})
    return pd.DataFrame(rows)


def claims_section(study: pd.DataFrame) -> list[str]:
    """Return the paragraphs on the papers' claims; none if the study has no two rows of a paper's table."""
    found = paper_claims(study)
    parts = ["## The papers' claims", CLAIMS_WORDS, markdown(verdicts(found))] if found else []
    for claims in found:
        other = "" if claims.same_data else " (ours on other data)"
        parts += [f"**{claims.title}**{other}", markdown(claims.table)]
    return parts


def _printed() -> Iterator[tuple[str, str, Metric, pd.DataFrame]]:
    """Yield best row, source, metric and percentages of each table of the papers: a row a label, a column a task."""
    values = pd.DataFrame([{**vars(value), "source": value.source} for value in published_values()])
    for (paper, source), table in values.groupby(["paper", "source"], sort=False):
        metric: Metric = "hter" if (table["metric"] == "hter").any() else "auc"
        cells = table[table["metric"] == metric].pivot(index="label", columns="task", values="percent")
        cells = cells.loc[list(dict.fromkeys(table["label"]))]  # in the paper's order
        own = cells[cells.index.str.split("-").str[0] == paper.lower().replace("-", "_")].mean(axis="columns")
        yield str(own.idxmin() if metric == "hter" else own.idxmax()), str(source), metric, cells


def _against(
    study: pd.DataFrame,
    tasks: dict[str, PaperTask],
    metric: Metric,
    best: pd.Series,
    other: pd.Series,
    odd: Collection[str],
) -> list[dict[str, str]]:
    """Return the row of one claim; none if they share no task, or no seed has both labels on all of them."""
    shared = [task for task in best.index if task in tasks and pd.notna(best[task]) and pd.notna(other[task])]
    if not shared:
        return []
    claimed = float((best[shared] - other[shared]).mean())
    row = {"against": marked(study, str(other.name), odd), "paper": f"{claimed:+.1f}"}
    ours = [task for name in shared for task in tasks[name].ours]
    for track, letter in TRACK_LETTERS:
        rows = study[(study["level"] == "recording") & (study["track"] == track)]
        pair = compare_paired(*(seed_means(rows, str(label), ours, metric) for label in (best.name, other.name)))
        if pair is None:
            return []
        row |= {
            f"ours, track {letter}": difference_in_points(pair),
            f"claim, track {letter}": _verdict(pair, claimed, metric),
        }
    return [row]


def _verdict(pair: PairedComparison, claimed: float, metric: Metric) -> str:
    if (claimed >= 0) if metric == "hter" else (claimed <= 0):
        return NO_CLAIM
    if pair.interval is None or pair.interval[0] <= 0 <= pair.interval[1]:
        return OPEN
    return SEEN if pair.mean * claimed > 0 else REVERSED
