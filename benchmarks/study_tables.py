"""`python -m benchmarks.study_tables`: make the pages of the studies, and the tables of all pages that quote them.

A table stands between `<!-- measured: NAME -->` and `<!-- end -->`; `TABLES` says what makes it. The results are the
JSON files that `dgfas benchmark` left in docs/results; nothing is trained here.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.result import ROOT
from dgfas.benchmark.catalogue import changed_rows, load_study, read_rates
from dgfas.benchmark.folders import drawn
from dgfas.benchmark.study import Entry
from dgfas.core.config import parse_assignments
from dgfas.core.files import read_json, write_whole
from dgfas.evaluation.tracks import Track
from dgfas.methods.registry import classical_names, method_names
from dgfas.reporting.cells import cell
from dgfas.reporting.claims import paper_claims, verdicts
from dgfas.reporting.study import markdown, read_study, study_table
from dgfas.reporting.study_page import comparison_note, comparison_table, gap_table, study_page

RESULTS = ROOT / "docs" / "results"
#: Study -> the folder of its results, and the seeds that it has whole.
STUDIES = {
    "methods": ("methods", (11, 12, 13, 14, 15, 16, 17, 18)),
    "methods-paper-rates": ("methods", (11, 12, 13)),
    "methods-limited": ("limited", (11, 12, 13, 14, 15)),
    "methods-cameras": ("cameras", (11,)),
    "d2am-cameras": ("cameras", (11, 12, 13, 14, 15)),
    "rfm-table-3": ("methods", (11, 12, 13, 14, 15)),
    "rfm-figure-5": ("methods", (11, 12, 13, 14, 15)),
    "d2am-table-3": ("methods", (11, 12, 13, 14, 15)),
    "drdg-table-3": ("methods", (11, 12, 13, 14, 15)),
    "anrl-table-3": ("methods", (11, 12, 13, 14, 15)),
    "anrl-table-4": ("methods", (11, 12, 13, 14, 15)),
}
TRACKS: tuple[Track, ...] = ("deployable", "oracle")
MARKED = re.compile(r"(<!-- measured: ([^>]+) -->\n\n).*?(\n\n<!-- end -->)", re.DOTALL)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


@cache
def study(name: str) -> pd.DataFrame:
    """The rows of a study: its tasks, labels and whole seeds, of all that its folder holds."""
    folder, seeds = STUDIES[name]
    tasks = {str(task) for task in drawn(Path("data")).tasks(load_study(name).tasks)}
    rows = _all(folder)
    return rows[rows["task"].isin(tasks) & rows["label"].isin(labels(name)) & rows["seed"].isin(seeds)]


@cache
def _all(folder: str) -> pd.DataFrame:
    return read_study(RESULTS / folder / "runs")


def labels(name: str) -> list[str]:
    """The rows of a study's tables, in their order."""
    return [row.label for row in load_study(name).rows]


def page(name: str) -> str:
    """The whole page of a study."""
    plan = load_study(name)
    return study_page(study(name), plan.title, labels(name), plan.baseline)


def mean_of_tasks(name: str) -> str:
    """HTER on both tracks, their gap, and AUC on both: means of a study's tasks."""
    hter, auc = (gap_table(study(name), metric, "recording", labels(name)) for metric in ("hter", "auc"))
    return markdown(
        pd.DataFrame(
            {
                "method": hter["method"],
                "HTER % deployable": hter["B deployable"],
                "HTER % oracle": hter["A oracle"],
                "gap": hter["gap B - A"],
                "AUC % deployable": auc["B deployable"],
                "AUC % oracle": auc["A oracle"],
            }
        )
    )


def hter_by_task(track: Track) -> str:
    return markdown(study_table(study("methods"), "hter", track, "recording", labels("methods")))


def differences(name: str, baseline: str, track: Track) -> str:
    """Each row minus the baseline, paired by seed."""
    return markdown(comparison_table(study(name), "hter", track, "recording", labels(name), baseline))


def how_compared() -> str:
    """The words below the tables of differences."""
    table = comparison_table(study("methods"), "hter", "deployable", "recording", labels("methods"), "binary_cnn")
    return comparison_note(table, study("methods"))


def second_rows() -> str:
    """Each method's row at the paper's own rate, and its difference from the row at the searched one."""
    own = study("methods-paper-rates")
    entries = changed_rows(load_study("methods-paper-rates").rows, read_rates(RESULTS / "rates" / "rates.json"), ())
    rows = []
    for entry in entries:
        row = {"method": entry.label, "rate": _rate(entry)}
        row |= {f"HTER % {track}": _hter(own, entry.label, track) for track in TRACKS}
        for track in TRACKS:
            pair = comparison_table(own, "hter", track, "recording", [entry.label], entry.method)
            row[f"minus the first, {track}"] = "" if pair.empty else pair[f"minus {entry.method}, points"].item()
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _rate(entry: Entry) -> str:
    return parse_assignments(entry.assignments)["options"]["learning_rate"]


def on_card(method: str) -> str:
    """What the card of a method says was measured, beside Binary CNN."""
    other, name = ("binary_cnn", "`binary_cnn`")
    if method == "binary_cnn":
        other, name = ("binary_cnn-mixed", "with `training.bn_batches=mixed`")
    rows = study("methods")
    own, beside = ([_hter(rows, label, track) for track in TRACKS] for label in (method, other))
    return (
        f"HTER {own[0]} % deployable, {own[1]} % oracle; {name}: {beside[0]} and {beside[1]} (by recording,\n"
        "mean of the four simulated leave-one-out tasks ± standard deviation over "
        f"{NUMBERS[rows['seed'].nunique()]} seeds; command,\ntables and intervals: [the study](../results/index.md))."
    )


def rates_tried() -> str:
    """Each method's mean AUC on source development data at each learning rate, the chosen one in bold."""
    path = RESULTS / "rates" / "rates.json"
    chosen, tried = read_rates(path), read_json(path, "source_validation_auc")["source_validation_auc"]
    columns = sorted({rate for values in tried.values() for rate in values}, key=float)
    rows = []
    for method, values in tried.items():
        cells = {rate: f"{100 * values[rate]:.2f}" if rate in values else "" for rate in columns}
        best = f"{chosen[method]:g}"
        rows.append({"method": method} | cells | {best: f"**{cells[best]}**"})
    return markdown(pd.DataFrame(rows))


def _hter(rows: pd.DataFrame, label: str, track: Track) -> str:
    own = rows[(rows["label"] == label) & (rows["track"] == track) & (rows["level"] == "recording")]
    return str(cell(own, "hter"))


def verdict_table(names: Sequence[str]) -> str:
    """The verdicts on all claims of some studies."""
    return markdown(verdicts([each for name in names for each in paper_claims(study(name))]))


def claims_of(name: str) -> str:
    """The one table of claims of an ablation."""
    [found] = paper_claims(study(name))
    return markdown(found.table)


def gallery() -> str:
    """The papers' figures that were drawn of kept runs, each with what it shows and what would be expected."""
    parts = []
    for figure in json.loads((RESULTS / "figures" / "figures.json").read_text(encoding="utf-8")):
        parts += [f"## {figure['source']}: {figure['title']}", f"![{figure['title']}](figures/{figure['files'][0]})"]
        parts += [figure["caption"], f"Expected if the method works: {figure['expectation']}"]
    return "\n\n".join(parts)


ABLATIONS = ("rfm-table-3", "d2am-table-3", "drdg-table-3", "anrl-table-3", "anrl-table-4")
#: Name in a page -> what makes the text there.
TABLES: dict[str, Callable[[], str]] = {
    "mean of tasks": partial(mean_of_tasks, "methods"),
    "figures": gallery,
    "one camera left out": partial(mean_of_tasks, "methods-cameras"),
    "one camera left out, five seeds": partial(mean_of_tasks, "d2am-cameras"),
    "two sources": partial(mean_of_tasks, "methods-limited"),
    "how compared": how_compared,
    "second rows": second_rows,
    "learning rates": rates_tried,
    "verdicts on methods": partial(verdict_table, ["methods"]),
    "verdicts on limited": partial(verdict_table, ["methods-limited"]),
    "verdicts on ablations": partial(verdict_table, ABLATIONS),
    **{f"HTER by task, {track}": partial(hter_by_task, track) for track in TRACKS},
    **{f"differences, {track}": partial(differences, "methods", "binary_cnn", track) for track in TRACKS},
    **{
        f"two sources, differences, {track}": partial(differences, "methods-limited", "binary_cnn", track)
        for track in TRACKS
    },
    **{f"claims of {name}": partial(claims_of, name) for name in (*ABLATIONS, "d2am-cameras")},
    **{f"card of {name}": partial(on_card, name) for name in (*method_names(), *classical_names())},
}


def filled(text: str) -> str:
    """Return a page's text with the tables as the results give them. Raises KeyError for a table of another name."""
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def pages() -> Iterator[tuple[Path, str]]:
    """Yield all pages that results make, wholly or in part, as they should be."""
    for name, (folder, _) in STUDIES.items():
        yield RESULTS / folder / f"{name}.md", page(name)
    for path in (*RESULTS.glob("*.md"), *(ROOT / "docs" / "methods").glob("*.md")):
        yield path, filled(path.read_text(encoding="utf-8"))


def main() -> None:
    """Write the pages that are not as they should be, and say which."""
    for path, text in pages():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            Console().print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
