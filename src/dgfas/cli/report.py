"""The verb that reports what was measured: report."""

from pathlib import Path
from typing import Annotated

import typer

from dgfas.cli.shared import bars, say


def report(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Results of a benchmark, a measured run, or measured scores; or several."),
    ],
    out: Annotated[Path, typer.Option(metavar="HTML", help="The page; it needs no other file.")] = Path("report.html"),
    methods: Annotated[str | None, typer.Option(help="Only these, e.g. rfm,binary_cnn. [all]")] = None,
    figures: Annotated[
        bool,
        typer.Option(help="Draw the papers' figures of the runs that are there, also as PNG and SVG; needs torch."),
    ] = True,
) -> None:
    """Write one HTML page of what was measured.

    Both tracks, ROC, errors by attack species, what was not tested, data, hashes, and the commands that make it again.

    Example: dgfas report study --out study.html

    Example: dgfas report runs/rfm runs/binary_cnn
    """
    from dgfas.reporting.html import write_report

    names = [] if methods is None else [name.strip() for name in methods.split(",")]
    with bars() as progress:
        folder = write_report(paths, out, methods=names, figures=figures, report=progress)
    say(f"written: {out}" + ("" if folder is None else f", and {folder} (PNG, SVG, captions)"))
