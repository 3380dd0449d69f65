"""Put the parts of a report into one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.core.progress import Silent
from dgfas.reporting.figures import PaperFigure, paper_figures, write_figures
from dgfas.reporting.html import attacks, headline, origin, study
from dgfas.reporting.html.groups import Group, grouped
from dgfas.reporting.html.limits import limits
from dgfas.reporting.html.measured import Measured, only, read_measured
from dgfas.reporting.html.pictures import Picture, paper_picture, roc_pictures
from dgfas.reporting.html.template import render

NO_RUNS = "None: the papers' figures are drawn of finished runs, and no folder of one is among these results."
NOT_ASKED = "Left out on request (--no-figures)."


class Notes(Silent):
    """Passes on how far the work is, and keeps what is said for the page."""

    def __init__(self, report: Silent) -> None:
        self.kept: list[str] = []
        self.progress = report.progress  # type: ignore[method-assign]

    def note(self, text: str) -> None:
        self.kept.append(text)


def write_report(
    paths: Sequence[Path],
    out: Path,
    *,
    methods: Sequence[str] = (),
    figures: bool = True,
    report: Silent | None = None,
) -> Path | None:
    """Write the report of all results below `paths` (see `read_measured`) as one HTML file that needs no other.

    Of `methods` only, if any are named. The same results give the same bytes. With `figures` the papers' figures are
    drawn of the runs that are still there; that needs torch, and the page says what could not be drawn. They are part
    of the page and, as PNG and SVG, also files in a folder beside it (report.html: report-figures), which is returned
    if there are any. Raises UserError for paths without results, for a method that has none, and if `out` is a folder.
    """
    if out.is_dir():
        raise UserError(f"{out}: is a folder; name the file to write, e.g. {out / 'report.html'}")
    measured = only(read_measured(paths), methods)
    groups = grouped(measured)
    drawn, notes = _figures(measured, figures, report or Silent())
    chosen = [*(["--methods", ",".join(methods)] if methods else []), *([] if figures else ["--no-figures"])]
    commands = origin.commands(groups, ["dgfas", "report", *paths, *chosen, "--out", out])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, _page(measured, groups, [paper_picture(figure) for figure in drawn], notes, commands))
    if not drawn:
        return None
    folder = out.with_name(f"{out.stem}-figures")
    write_figures(drawn, folder)
    return folder


def _figures(measured: Sequence[Measured], wanted: bool, report: Silent) -> tuple[list[PaperFigure], list[str]]:
    """Return the papers' figures, and what is to be said of those that are missing."""
    if not wanted:
        return [], [NOT_ASKED]
    runs = list(dict.fromkeys(item.run for item in measured if item.run is not None))
    if not runs:
        return [], [NO_RUNS]
    notes = Notes(report)
    return paper_figures(runs, notes), notes.kept


def _page(
    measured: Sequence[Measured], groups: Sequence[Group], figures: list[Picture], notes: list[str], commands: list[str]
) -> str:
    tasks = list(dict.fromkeys(group.task for group in groups))
    return render(
        "report.html",
        title=tasks[0] if len(tasks) == 1 else f"{len(tasks)} tasks",
        methods=list(dict.fromkeys(group.label for group in groups)),
        tasks=tasks,
        headline=headline.headline(groups),
        comparison=study.comparison(groups),
        papers=study.papers(groups),
        no_paper=study.NO_PAPER,
        rocs=roc_pictures(groups),
        level=attacks.LEVEL,
        attempts=attacks.ATTEMPTS,
        attack_notes=attacks.NOTES,
        attacks=[(task, _attacks([group for group in groups if group.task == task])) for task in tasks],
        limits=limits(groups),
        figures=figures,
        notes=notes,
        data=[origin.data_sets(measured), origin.recordings(groups), origin.test_sets(groups)],
        excluded=origin.excluded(groups),
        every_run=headline.every_run(groups),
        files=origin.files(groups),
        configurations=origin.configurations(groups),
        commands=commands,
    )


def _attacks(groups: Sequence[Group]) -> list[headline.Table]:
    return [attacks.item_table(groups), attacks.attack_table(groups), attacks.live_table(groups)]
