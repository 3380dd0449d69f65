"""The bootstrap over persons: 10,000 resamples of 50,000 frames, intervals of HTER and AUC, one thread."""

import numpy as np

from benchmarks.result import Figure
from benchmarks.timing import interleaved, one_thread, spread
from dgfas.evaluation.intervals import bootstrap_by_person

FRAMES = 50_000


def run(quick: bool) -> list[Figure]:
    one_thread()
    resamples, rounds = (1_000, 2) if quick else (10_000, 5)
    random = np.random.default_rng(0)
    is_live = random.random(FRAMES) < 0.5
    score = np.clip(random.normal(0.4 + 0.2 * is_live, 0.2), 0, 1)
    persons = {number: random.integers(0, number, FRAMES) for number in (50, 500)}
    works = {
        str(number): lambda person=person: bootstrap_by_person(score, is_live, person, 0.5, resamples)
        for number, person in persons.items()
    }
    times = interleaved(works, rounds)
    return [
        Figure(
            f"{resamples} resamples of {FRAMES} frames of {name} persons",
            "s",
            spread(each.cpu for each in times[name]),
            spread(each.wall for each in times[name]),
            most=20,
        )
        for name in works
    ]
