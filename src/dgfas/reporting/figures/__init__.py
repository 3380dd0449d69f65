"""The figures of the five papers, drawn from finished runs."""

import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.core.progress import Silent
from dgfas.reporting.figures.finished_run import FinishedRun, Runs, of_method
from dgfas.reporting.figures.paper_figure import PaperFigure, Recipe
from dgfas.reporting.roc import save_figure
from dgfas.training.configure import need_torch

__all__ = ["PaperFigure", "paper_figures", "write_figures"]

#: The paper's method -> its name; figures/METHOD.py draws its figures.
PAPERS = {"rfm": "RFM", "d2am": "D2AM", "drdg": "DRDG", "anrl": "ANRL", "pdl_fas": "PDL-FAS"}


def paper_figures(runs: Sequence[Path], report: Silent) -> list[PaperFigure]:
    """Return all figures of the papers that these finished runs allow.

    A figure that cannot be drawn is left out, and `report.note` says what it lacks: a run beside the others, or data
    that are gone. A figure that several runs allow is drawn for each, its name followed by the run's
    folder, with as much of the path above it as tells it from the others. Raises UserError if a folder is not a
    finished run.
    """
    given = [FinishedRun.read(Path(run)) for run in runs]
    figures = []
    drawable = {method: paper for method, paper in PAPERS.items() if of_method(given, method)}
    if drawable:
        try:
            need_torch()
        except UserError as error:
            report.note(f"no figures of {', '.join(drawable.values())}: {error}")
            return []
    for method, paper in drawable.items():
        recipes: Sequence[Recipe] = importlib.import_module(f"dgfas.reporting.figures.{method}").RECIPES
        for number, recipe in enumerate(recipes):
            report.progress(f"figures of {paper}", number, len(recipes))
            figures += _drawn(recipe, given, report)
        report.progress(f"figures of {paper}", len(recipes), len(recipes))
    missing = [f"{paper} (no run of {method})" for method, paper in PAPERS.items() if method not in drawable]
    if missing:
        report.note("no figures of " + ", ".join(missing))
    return figures


def _drawn(recipe: Recipe, given: Runs, report: Silent) -> list[PaperFigure]:
    subjects = recipe.subjects(given)
    if not subjects:
        report.note(f"{recipe.source}: not drawn: {recipe.needs}")
    figures = []
    names = _short_names([run.path for run in subjects])
    for run, name in zip(subjects, names, strict=True):
        try:
            figure = recipe.draw(run, given)
        except UserError as error:
            report.note(f"{recipe.source}: not drawn of {run.path}: {error}")
            continue
        figures.append(replace(figure, name=f"{figure.name}-{name}") if len(subjects) > 1 else figure)
    return figures


def _short_names(folders: Sequence[Path]) -> list[str]:
    """Return the last parts of the folders' paths, as few as tell them apart."""
    parts = [folder.absolute().parts[1:] for folder in folders]
    names: list[str] = []
    for count in range(1, max(map(len, parts), default=0) + 1):
        names = ["-".join(each[-count:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return names


def write_figures(figures: Sequence[PaperFigure], folder: Path) -> list[Path]:
    """Write NAME.png and NAME.svg of every figure and figures.json, the captions, into `folder`; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    captions: list[dict[str, Any]] = []
    paths = []
    for figure in figures:
        files = save_figure(figure.figure, folder / figure.name)
        captions.append(figure.words() | {"files": [file.name for file in files]})
        paths += files
    write_whole(folder / "figures.json", json.dumps(captions, indent=2, ensure_ascii=False) + "\n")
    return [*paths, folder / "figures.json"]
