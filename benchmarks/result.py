"""What a benchmark found, as it is printed and as it lies on disk."""

import json
import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.timing import Seconds, Spread, rate, ratio

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("torch", "onnxruntime", "numpy", "opencv-python-headless", "pillow", "scikit-learn", "av")


@dataclass(frozen=True)
class Figure:
    """One number and what it is: `value` by processor time (or a size), `wall` the same by the clock on the wall.

    The target, where there is one, is `least` or `most`; `value` is compared with it.
    """

    what: str
    unit: str
    value: Spread
    wall: Spread | None = None
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median is within the target; None without one."""
        if self.least is None and self.most is None:
            return None
        above = self.least is None or self.value.median >= self.least
        return above and (self.most is None or self.value.median <= self.most)


def times_as_long(what: str, numerator: list[Seconds], denominator: list[Seconds], most: float | None = None) -> Figure:
    """Return how many times as long the numerator takes as the denominator."""
    return Figure(what, "x", ratio(numerator, denominator), ratio(numerator, denominator, "wall"), most=most)


def times_as_fast(what: str, ours: list[Seconds], other: list[Seconds], least: float | None = None) -> Figure:
    """Return how many times as much is done in a time as by the other way."""
    return Figure(what, "x", ratio(other, ours), ratio(other, ours, "wall"), least=least)


def per_second(what: str, unit: str, count: int, times: list[Seconds], least: float | None = None) -> Figure:
    """Return how many are done a second on one core."""
    return Figure(what, f"{unit}/s", rate(count, times), rate(count, times, "wall"), least=least)


def measured(name: str, run: Callable[[bool], list[Figure]], quick: bool) -> dict[str, Any]:
    """Do a benchmark, keep its result in results/NAME.json, and return it."""
    before = os.getloadavg()
    figures = run(quick)
    result = {
        "benchmark": name,
        "command": f"python -m benchmarks {name}" + (" --quick" if quick else ""),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", "src", "benchmarks/*.py")),
        "machine": machine(),
        "niceness": os.nice(0),
        "load_average": {"before": before, "after": os.getloadavg()},
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def machine() -> dict[str, Any]:
    """Return what the numbers depend on besides the code."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    about = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    processor = f"{about.get('model name', platform.processor())}, family {about.get('cpu family', '?')}"
    packages = {name: version(name) for name in PACKAGES}
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version(), **packages}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
