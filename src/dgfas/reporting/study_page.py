"""The page of a study: tables by track and level, the tracks' gap, paired comparisons, species, and test sets."""

from collections.abc import Sequence

import pandas as pd

from dgfas.core.errors import UserError, nearest
from dgfas.evaluation.scores import Level
from dgfas.evaluation.seeds import compare_paired, holm, least_p_value
from dgfas.evaluation.tracks import Track
from dgfas.reporting.beside_papers import beside_papers_section
from dgfas.reporting.cells import cell, seed_means, whole_seeds
from dgfas.reporting.claims import claims_section
from dgfas.reporting.study import MEAN, markdown, marked, measured_sets, odd_labels, study_table
from dgfas.reporting.study_species import SPECIES_WORDS, species_table
from dgfas.reporting.tables import OTHER_TEST_SET, difference_in_points

LEVEL = 0.05  # of significance
TRACK_WORDS: tuple[tuple[Track, str], ...] = (
    ("deployable", "Track B, deployable: checkpoint and threshold from source development data"),
    ("oracle", "Track A, oracle: checkpoint and threshold from the target, as most published tables"),
)
METRIC_WORDS = (("hter", "HTER %, lower is better"), ("auc", "AUC %, higher is better"))
INTERVAL_WORDS = (
    "In square brackets: 95 % interval of the mean, for new seeds and new persons: Student's t over seeds, with the "
    "variance of the bootstrap over persons added where all seeds share them."
)


def gap_table(study: pd.DataFrame, metric: str, level: Level, labels: Sequence[str]) -> pd.DataFrame:
    """Return both tracks beside each other and their gap, deployable minus oracle, by each seed's mean over all tasks.

    A row a label: mean ± standard deviation over the seeds that have all tasks, in percent; the gap in points.
    """
    rows = study[study["level"] == level]
    tasks, odd = list(dict.fromkeys(rows["task"])), odd_labels(study)
    table = []
    for label in labels:
        own = {
            track: whole_seeds(rows[(rows["label"] == label) & (rows["track"] == track)], tasks)
            for track, _ in TRACK_WORDS
        }
        cells = {track: cell(part, metric) for track, part in own.items()}
        by_seed = {track: part.groupby("seed")[metric].mean() for track, part in own.items()}
        gap = (by_seed["deployable"] - by_seed["oracle"]).dropna()
        table.append(
            {
                "method": marked(study, label, odd),
                "B deployable": "–" if cells["deployable"] is None else str(cells["deployable"]),
                "A oracle": "–" if cells["oracle"] is None else str(cells["oracle"]),
                "gap B - A": _points(gap),
                "seeds": len(gap),
            }
        )
    return pd.DataFrame(table)


def _points(values: pd.Series) -> str:
    if values.empty:
        return "–"
    deviation = f" ± {100 * values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * values.mean():+.1f}{deviation}"


def comparison_table(
    study: pd.DataFrame, metric: str, track: Track, level: Level, labels: Sequence[str], baseline: str
) -> pd.DataFrame:
    """Compare each label with `baseline` by the seeds' means over all tasks: a row a label, label minus baseline.

    Columns: seeds that both have whole, mean difference in points with its 95 % interval, Cohen's d_z, the
    matched-pairs rank-biserial correlation, the p-value of the exact sign-flip test, and that after Holm's correction
    over the rows. Raises UserError if the study holds no `baseline`.
    """
    rows = study[(study["track"] == track) & (study["level"] == level)]
    if baseline not in set(rows["label"]):
        raise UserError(f"baseline {baseline!r} is not in the study; {nearest(baseline, rows['label'].unique())}")
    tasks = list(dict.fromkeys(rows["task"]))
    means = {label: seed_means(rows, label, tasks, metric) for label in dict.fromkeys([*labels, baseline])}
    found = {label: compare_paired(means[label], means[baseline]) for label in labels if label != baseline}
    pairs = {label: pair for label, pair in found.items() if pair is not None}
    corrected, odd = holm([pair.p_value for pair in pairs.values()]), odd_labels(study)
    table = []
    for (label, pair), p_holm in zip(pairs.items(), corrected, strict=True):
        table.append(
            {
                "method": marked(study, label, odd),
                "seeds": pair.seeds,
                f"minus {baseline}, points": difference_in_points(pair),
                "d_z": "–" if pair.effect_size is None else f"{pair.effect_size:+.2f}",
                "rank-biserial": f"{pair.rank_biserial:+.2f}",
                "p": f"{pair.p_value:.3f}",
                "p (Holm)": f"{p_holm:.3f}" + (" *" if p_holm <= LEVEL else ""),
            }
        )
    return pd.DataFrame(table)


def comparison_note(table: pd.DataFrame, study: pd.DataFrame) -> str:
    """Say what the table's test is, and which p-value its seeds and its number of rows can reach at best."""
    if table.empty:
        return "No method shares a whole seed with the baseline, so that nothing can be compared."
    least = least_p_value(int(table["seeds"].max()))
    after = min(1.0, least * len(table))
    verdict = (
        f"so that nothing here can be significant at {LEVEL:g} after the correction; read the differences and intervals"
        if after > LEVEL
        else f"* significant at {LEVEL:g} after the correction"
    )
    what_varies = (
        "training seeds vary, the data measured are the same, so that this says nothing on other persons"
        if study.groupby("task")["persons"].nunique().max() == 1
        else "data seed and training seed vary together"
    )
    return (
        f"Paired by seed, each seed's mean over all tasks; {what_varies}. d_z: mean difference / standard deviation of "
        "the differences (Cohen). Rank-biserial: of matched pairs, -1 to 1. p: exact two-sided sign-flip test; so many "
        f"seeds give at best p = {least:.3g}, over {len(table)} comparisons {after:.3g}: {verdict}."
    )


def comparison_section(study: pd.DataFrame, labels: Sequence[str], baseline: str) -> list[str]:
    """Return the paragraphs that compare with the baseline by HTER of the deployable track."""
    if baseline not in set(study["label"]):
        return [f"No result of {baseline} is there, so that nothing can be compared."]
    table = comparison_table(study, "hter", "deployable", "recording", labels, baseline)
    words = "HTER, track B, by recording; below zero is better than the baseline."
    return [words, *([markdown(table)] if len(table) else []), comparison_note(table, study)]


def study_page(study: pd.DataFrame, title: str, labels: Sequence[str], baseline: str | None = None) -> str:
    """Return the page of a study in Markdown; `baseline` (the first label) is what the others are compared with."""
    baseline = baseline or labels[0]
    parts = [f"# {title}"]
    for track, words in TRACK_WORDS:
        parts.append(f"## {words}")
        for metric, name in METRIC_WORDS:
            table = study_table(study, metric, track, "recording", labels, intervals=True)
            parts += [f"**{name}**, by recording", markdown(table)]
        frames = study_table(study, "hter", track, "frame", labels, intervals=True)
        parts += ["**HTER %**, by frame", markdown(frames)]
    parts += [INTERVAL_WORDS, "## Both tracks"]
    parts += [f"HTER %, by recording, {MEAN}.", markdown(gap_table(study, "hter", "recording", labels))]
    parts += [f"## Compared with {baseline}", *comparison_section(study, labels, baseline)]
    parts += claims_section(study)
    parts += beside_papers_section(study, labels)
    parts += ["## Species", SPECIES_WORDS]
    for task in dict.fromkeys(study["task"]):
        parts += [f"**{task}**", markdown(species_table(study, task, "deployable", labels))]
    parts += ["## Test sets", markdown(measured_sets(study))]
    if odd_labels(study):
        parts.append(
            f"{OTHER_TEST_SET.strip()} measured on other recordings than most methods of its column: not comparable."
        )
    seeds = ", ".join(map(str, sorted(study["seed"].unique())))
    commits = ", ".join(sorted(study["commit"].unique()))
    parts.append(
        f"Mean ± standard deviation over seeds {seeds}; the same data, batches and order for all methods at a seed. "
        f"Commits: {commits}."
    )
    return "\n\n".join(parts) + "\n"
