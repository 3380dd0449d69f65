"""`python -m benchmarks [NAME ...]`: measure, print one table, keep the numbers, write docs/performance.md."""

import importlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import LONG, NAMES
from benchmarks.page import target, value, verdict, write_page
from benchmarks.result import measured


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES + LONG)}. [all but demo]")] = None,
    quick: Annotated[bool, typer.Option(help="Small sizes and few rounds, to see that it runs.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Demo too.")] = False,
) -> None:
    """Measure speed and memory side by side."""
    for name in names or []:
        if name not in NAMES + LONG:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(NAMES + LONG)}")
    table = Table("benchmark", "figure", "unit", "median (lowest - highest)", "by wall time", "target", "")
    for name in names or (NAMES + LONG if everything else NAMES):
        result = measured(name, importlib.import_module(f"benchmarks.{name}").run, quick)
        for each in result["figures"]:
            cells = (each["what"], each["unit"], value(each["value"]), value(each["wall"]))
            table.add_row(name, *cells, target(each), verdict(each))
    write_page()
    Console(width=170).print(table)


if __name__ == "__main__":
    typer.run(main)
