"""Our numbers beside those that the papers print: two columns, never one, and on other data never without saying so."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from dgfas.evaluation.published import Metric, published_values, same_data, values_of
from dgfas.evaluation.slices import LETTERS, data_set_of
from dgfas.evaluation.tasks import parse_task
from dgfas.evaluation.tracks import Track
from dgfas.reporting.cells import cell, whole_seeds
from dgfas.reporting.study import markdown, marked, measured_sets, other_test_sets

#: The simulated domain that was drawn with each data set's variation in mind, and the letter of that data set.
STANDS_FOR = {"desk": "C", "webcam": "I", "laptop": "M", "phone": "O"}
OULU_PHONES = 6
TRACK_LETTERS: tuple[tuple[Track, str], ...] = (("deployable", "B"), ("oracle", "A"))
PAPERS_UNSAID = (
    "The papers say neither which recordings they measured, nor by frame or by recording, nor how checkpoint and "
    "threshold were chosen; released code of the field chooses both on the target, as track A does."
)


@dataclass(frozen=True)
class PaperTask:
    """Tasks of ours (several: the mean over them) and the task of the papers that they are shown beside."""

    ours: tuple[str, ...]
    paper: str

    @property
    def same_data(self) -> bool:
        """Whether both name the same data sets."""
        return all(same_data(task, self.paper) for task in self.ours) or (
            self.paper == "oulu_npu_3" and {data_set_of(parse_task(task).target) for task in self.ours} == {"oulu_npu"}
        )


def paper_tasks(study: pd.DataFrame) -> list[PaperTask]:
    """Return the papers' tasks that the study's tasks are, or stand for, as the papers print them."""
    printed = list(dict.fromkeys(value.task for value in published_values() if " to " in value.task))
    found, folds = [], []
    for text, simulated in study.groupby("task", sort=False)["simulated"].all().items():
        task = parse_task(str(text))
        *sources, target = _letters([*task.sources, task.target], simulated)
        if "[" not in text and target not in sources:
            plain = f"{'&'.join(dict.fromkeys(sources))} to {target}"
            found += [PaperTask((text,), paper) for paper in printed if same_data(plain, paper)]
        elif {*sources, target} == {"O"} and re.fullmatch(r"\w+\[(device|camera)=[^;]*\] to .*", text):
            folds.append(text)
    return [*found, *([PaperTask(tuple(folds), "oulu_npu_3")] if len(folds) == OULU_PHONES else [])]


def _letters(domains: Iterable[str], simulated: bool) -> list[str]:
    letters = (STANDS_FOR if simulated else {}) | {name: letter for letter, name in LETTERS.items()}
    return [letters.get(data_set_of(name), name.partition("[")[0]) for name in domains]


def beside_papers(study: pd.DataFrame, tasks: PaperTask, labels: Sequence[str]) -> pd.DataFrame:
    """Return ours (both tracks, by recording) and the papers' numbers in percent: a row a label.

    Mean ± standard deviation, over seeds for ours; † measured on other recordings than most methods. Numbers of papers
    have their source, and "?" where another paper contradicts them.
    """
    rows = study[(study["level"] == "recording") & study["task"].isin(tasks.ours)]
    odd = {label for _, label in other_test_sets(rows)}
    data = "" if tasks.same_data else ", other data"
    table = []
    for label in labels:
        cells = {"method": marked(study, label, odd)}
        metrics: tuple[tuple[Metric, str], ...] = (("hter", "HTER %"), ("auc", "AUC %"))
        for metric, name in metrics:
            for track, letter in TRACK_LETTERS:
                own = whole_seeds(rows[(rows["label"] == label) & (rows["track"] == track)], tasks.ours)
                cells[f"{name}, ours, track {letter}{data}"] = str(cell(own, metric) or "–")
            cells[f"{name}, paper"] = _printed(label, tasks.paper, metric)
        table.append(cells)
    return pd.DataFrame(table)


def _printed(label: str, task: str, metric: Metric) -> str:
    deviation: Metric = "hter_deviation" if metric == "hter" else "auc_deviation"
    spread = values_of(label, task, deviation)
    texts = []
    for value in values_of(label, task, metric):
        spoken = f" ± {spread[0].percent:g}" if spread else ""
        texts.append(f"{value.percent:g}{spoken}{' ?' if value.doubt else ''} ({value.source})")
    return "; ".join(texts) or "–"


def beside_papers_section(study: pd.DataFrame, labels: Sequence[str]) -> list[str]:
    """Return the paragraphs that show the study beside the papers; none if no paper has a number for its tasks."""
    found = paper_tasks(study)
    parts = ["## Beside the papers", PAPERS_UNSAID] if found else []
    for tasks in found:
        title = tasks.ours[0] if len(tasks.ours) == 1 else f"mean of {len(tasks.ours)} folds, {tasks.ours[0]}, ..."
        sets = measured_sets(study[study["task"].isin(tasks.ours)])
        counts = "; ".join(
            f"{each['lists']} ({each['live']} live + {each['spoof']} spoof recordings)"
            for each in sets.to_dict("records")
        )
        if tasks.same_data:
            line = f"**{title}**. Ours: {counts}."
        else:
            line = (
                f"**{title}** (ours, simulated: {counts}) beside **{tasks.paper}** (papers). Other data: the simulated "
                "domains only stand for the real ones; compare the order of the methods, not the numbers."
            )
        parts += [line, markdown(beside_papers(study, tasks, labels))]
        parts += [
            f"? {value.method}, {value.task}, {value.source}: {value.percent:g} ({value.doubt})."
            for label in labels
            for metric in ("hter", "auc")
            for value in values_of(label, tasks.paper, metric)
            if value.doubt
        ]
    return parts
