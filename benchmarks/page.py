"""docs/performance.md, written from the results on disk."""

import importlib
import json
from typing import Any

from benchmarks import LONG, NAMES
from benchmarks.method_cost import cost_table
from benchmarks.result import RESULTS, ROOT

PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Made by `make bench` (`python -m benchmarks [NAME ...]`). The numbers lie in `benchmarks/results/`, the code that
measures, one file a benchmark, in `benchmarks/`.

- A ratio compares two pieces of work that take turns in one run; it is the median over rounds, with the lowest and the
  highest round in brackets. A rate is what one core does in a second.
- Times are the process's processor time, because others may use the machine too; the same by wall time stands beside
  it. Work is done in one thread unless the text says otherwise. On a busy machine processor time still suffers from
  shared caches, so the load average at the start and at the end is given.
- Targets are compared with the median.
"""


def stored() -> dict[str, dict[str, Any]]:
    """Return the results on disk by name."""
    paths = {name: RESULTS / f"{name}.json" for name in NAMES + LONG}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}


def three_digits(number: float) -> str:
    """Return a number rounded to three digits, without an exponent where it is large."""
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"


def value(spread: dict[str, float] | None) -> str:
    """Return a median with its lowest and highest round."""
    if spread is None:
        return ""
    median, low, high = (three_digits(spread[key]) for key in ("median", "low", "high"))
    return median if spread["rounds"] == 1 else f"{median} ({low} - {high})"


def target(figure: dict[str, Any]) -> str:
    """Return the target of a figure, empty without one."""
    if figure["least"] is not None:
        return f"at least {figure['least']:g}"
    return "" if figure["most"] is None else f"at most {figure['most']:g}"


def verdict(figure: dict[str, Any]) -> str:
    """Return whether the target is met."""
    return {None: "", True: "met", False: "missed"}[figure["met"]]


def figures_table(figures: list[dict[str, Any]]) -> str:
    """Return the figures of one benchmark as a table in Markdown."""
    rows = [
        "| figure | unit | median (lowest - highest) | by wall time | target | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each in figures:
        cells = [each["what"], each["unit"], value(each["value"]), value(each["wall"]), target(each), verdict(each)]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def targets_table(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures that have a target as a table in Markdown."""
    rows = ["| benchmark | figure | target | measured | |", "| --- | --- | --- | --- | --- |"]
    for name, result in results.items():
        for each in (figure for figure in result["figures"] if figure["met"] is not None):
            measured = f"{three_digits(each['value']['median'])} {each['unit']}"
            rows.append(f"| [{name}](#{name}) | {each['what']} | {target(each)} | {measured} | {verdict(each)} |")
    return "\n".join(rows) + "\n"


def section(name: str, result: dict[str, Any]) -> str:
    """Return what was measured, how, and what came out."""
    about = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
    load = [f"{result['load_average'][when][0]:.1f}" for when in ("before", "after")]
    changes = " with uncommitted changes" if result["uncommitted_changes"] else ""
    source = f"`{result['command']}`, commit {result['commit'][:10]}{changes}, load average {load[0]} to {load[1]}"
    source += f", niceness {'not recorded' if result['niceness'] is None else result['niceness']}."
    table = cost_table if name == "method_cost" else figures_table
    return f"\n## {name}\n\n{about.strip()}\n\n{table(result['figures'])}\n{source}\n"


def write_page() -> None:
    """Write the page."""
    results = stored()
    machines = {json.dumps(result["machine"]): result["machine"] for result in results.values()}
    lines = ["; ".join(f"{key} {each}" for key, each in machine.items()) for machine in machines.values()]
    about = "\nMachine: " + ". And: ".join(lines) + ".\n\n## Targets\n\n" + targets_table(results)
    PAGE.write_text(HEAD + about + "".join(section(name, result) for name, result in results.items()))
