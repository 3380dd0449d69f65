"""Methods against each other over seeds, and beside the numbers of the papers."""

from collections.abc import Sequence

import pandas as pd

from dgfas.reporting.beside_papers import PAPERS_UNSAID, beside_papers, paper_tasks
from dgfas.reporting.claims import CLAIMS_WORDS, paper_claims
from dgfas.reporting.html.groups import Group
from dgfas.reporting.html.words import Table
from dgfas.reporting.study import study_rows
from dgfas.reporting.study_page import comparison_note, comparison_table

BASELINE = "binary_cnn"  # what others are compared with where it was measured; else the first method
NO_PAPER = (
    "No training here is on a task that the papers print numbers of, on the same data sets: scores of others are not "
    "set beside them, and simulated domains never are. See the papers' own tables for theirs."
)


def comparison(groups: Sequence[Group]) -> Table | None:
    """Return the paired comparison over seeds; None of one method, or where no seed has all tasks with two methods."""
    study = _as_study(groups)
    labels = list(dict.fromkeys(study["label"])) if len(study) else []
    if len(labels) < 2:
        return None
    baseline = BASELINE if BASELINE in labels else labels[0]
    frame = comparison_table(study, "hter", "deployable", "recording", labels, baseline)
    if frame.empty or frame["seeds"].max() < 2:
        return None
    caption = f"Compared with {baseline}: HTER, deployable track, by recording, mean of tasks; below zero is better"
    return _table(caption, frame, (comparison_note(frame, study),))


def papers(groups: Sequence[Group]) -> list[Table]:
    """Return ours beside the papers' numbers and claims, on the same data sets; of simulated domains nothing."""
    study = _as_study(groups)
    if study.empty:
        return []
    labels = list(dict.fromkeys(study["label"]))
    beside = [
        _table(f"Beside the papers: {', '.join(tasks.ours)}", beside_papers(study, tasks, labels), (PAPERS_UNSAID,))
        for tasks in paper_tasks(study)
        if tasks.same_data
    ]
    claimed = [_table(each.title, each.table, (CLAIMS_WORDS,)) for each in paper_claims(study) if each.same_data]
    return [*beside, *claimed]


def _as_study(groups: Sequence[Group]) -> pd.DataFrame:
    """Return the rows of a study of all groups that are runs of ours."""
    members = [(group, member, member.seed) for group in groups for member in group.members]
    rows = [
        row | {"recordings_hash": member.test_set}  # which tells draws of the same size apart
        for group, member, seed in members
        if seed is not None
        for row in study_rows(member.raw, group.task, group.label, seed)
    ]
    return pd.DataFrame(rows)


def _table(caption: str, frame: pd.DataFrame, notes: Sequence[str]) -> Table:
    rows = [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
    return Table(caption, list(frame.columns), rows, notes)
