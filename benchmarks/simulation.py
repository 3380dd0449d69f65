"""Drawing the simulated data set at 64 px in one process: all four domains, live and attacks, written to disk."""

import tempfile
from pathlib import Path

from benchmarks.result import Figure, per_second
from benchmarks.timing import one_thread, seconds
from dgfas.simulation.data_set import simulate


def run(quick: bool) -> list[Figure]:
    one_thread()
    subjects, rounds = (1, 2) if quick else (3, 5)
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(-1, rounds):  # the first warms up
            root = Path(folder) / str(seed)
            count = 1 if seed < 0 else subjects

            def draw(root: Path = root, seed: int = seed, count: int = count) -> int:
                return len(simulate(root, subjects=count, seed=max(seed, 0), workers=1).frames)

            times.append(seconds(draw))
        frames = 4 * subjects * 4 * 8
        assert len(simulate(root, subjects=subjects, seed=rounds - 1, workers=1).frames) == frames
    return [per_second("simulated frames of 64 px", "frames", frames, times[1:], least=10)]
