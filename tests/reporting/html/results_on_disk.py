"""Result files as a benchmark, a run and a system of others leave them, and the tables of a page."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dgfas.evaluation.scores import COLUMNS, Scores
from dgfas.evaluation.tracks import Evaluation, evaluate_scores
from dgfas.reporting.html import write_report

Species = dict[str, tuple[int, int]]  # of each kind: presentations, and how many of them are accepted at 0.5
FEW: Species = {"live": (40, 37), "print": (40, 3), "replay": (10, 2)}
MANY: Species = {"live": (150, 140), "print": (150, 0), "mask/latex": (40, 6)}


def scores(species: Species, domain: str = "phone", seed: int = 0, unanswered: int = 0) -> Scores:
    """Draw scores with the given counts, one frame a recording, ten recordings a subject.

    The first `unanswered` rejected presentations of each kind have no score.
    """
    random = np.random.default_rng(seed)
    rows = []
    for kind, (total, accepted) in species.items():
        for number in range(total):
            score = random.uniform(0.5, 1) if number < accepted else random.uniform(0, 0.49)
            cell = np.nan if accepted <= number < accepted + unanswered else score
            rows.append((domain, f"p{number // 10}", f"{kind}-{number}", 0, kind, int(kind == "live"), cell))
    return Scores(pd.DataFrame(rows, columns=COLUMNS), "memory")


def config(method: str = "rfm", seed: int = 1, **more: Any) -> dict[str, Any]:
    """Return as much of a run's configuration as a report needs."""
    data = {"roots": [f"data/sim-{seed}"], "sources": ["desk", "hall"], "target": "phone", "lists": "ssdg"}
    rules = {"selection": "source_validation", "threshold": "fixed=0.5"}
    return {"method": method, "preset": "default", "data": data, "training": {"seed": seed}, **rules} | more


def evaluation(species: Species, method: str = "rfm", seed: int = 1, **about: Any) -> dict[str, Any]:
    """Return what `Evaluation.to_dict` says of a simulated run, measured on fresh scores."""
    development = scores(FEW, "desk", seed + 100)
    results = evaluate_scores(development, scores(species, seed=seed), threshold="fixed=0.5", resamples=50)
    root = f"data/sim-{seed}"
    facts: dict[str, Any] = {
        "task": "desk&hall to phone",
        "target": "phone",
        "config": config(method, seed),
        "manifests": {root: f"{seed:064x}"},
        "data_sets": {root: {"made_by": "simulation", "seed": seed, "subjects": 20}},
        "recordings": [{"part": "target", "domain": "phone", "class": "live", "recordings": 40}],
        "uses_target_images": False,
    }
    return Evaluation(f"{method}, seed {seed}", results, facts | about).to_dict()


def benchmark(
    folder: Path, methods: Iterable[str], seeds: Iterable[int], species: Species = MANY, **about: Any
) -> Path:
    """Write a benchmark's results on one task."""
    for method in methods:
        for seed in seeds:
            content = evaluation(species, method, seed, **about)
            task = content["about"]["task"]
            job = {"entry": {"label": method, "method": method}, "task": task, "seed": seed, "data": "data/sim-{seed}"}
            path = folder / "runs" / task.replace(" ", "-") / method.replace("/", "_") / f"seed-{seed}.json"
            write(path, {"job": job, **content, "made_by": {"seconds": 12.0, "commit": "abc1234"}})
    return folder


def run(folder: Path, **more: Any) -> Path:
    """Write the folder of a measured run, without checkpoints."""
    write(folder / "evaluation" / "phone" / "result.json", evaluation(MANY, **more))
    (folder / "config.yaml").write_text("method: rfm\n")
    return folder


def alter(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the content of a result file."""
    content = json.loads(path.read_text())
    change(content)
    write(path, content)
    return path


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@dataclass
class Page(HTMLParser):
    """The tables of a page by caption, each a list of rows of cells; and all of its text."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside != "style" else ""
        if self.inside == "caption":
            self.tables[data] = self.rows
        elif self.inside in ("td", "th"):
            self.rows[-1][-1] += data

    def column(self, caption: str, heading: str) -> list[str]:
        """Return the cells of one column; line breaks in its heading count as blanks."""
        headings, *rows = self.tables[caption]
        number = [" ".join(cell.split()) for cell in headings].index(heading)
        return [row[number] for row in rows]


def report(*paths: Path, out: Path, figures: bool = False, methods: Sequence[str] = ()) -> Page:
    """Write a report and read its tables."""
    write_report(paths, out, figures=figures, methods=methods)
    page = Page()
    page.feed(out.read_text(encoding="utf-8"))
    return page
