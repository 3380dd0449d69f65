"""`dgfas demo` with its defaults, from nothing to the comparison of two methods, on all cores."""

import os
import subprocess
import sys
import tempfile
import time

from benchmarks.result import Figure
from benchmarks.timing import spread


def run(quick: bool) -> list[Figure]:
    size = ["--subjects", "5", "--iterations", "20"] if quick else []
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), sum(os.times()[2:4])
        subprocess.run([sys.executable, "-m", "dgfas", "demo", f"{folder}/demo", *size], check=True)
        wall, cpu = time.perf_counter() - wall, sum(os.times()[2:4]) - cpu
    defaults = " ".join(size) or "60 subjects, 480 iterations"
    return [
        Figure(f"wall time ({defaults})", "min", spread([wall / 60]), most=8),
        Figure(f"processor time ({defaults})", "min", spread([cpu / 60])),
    ]
