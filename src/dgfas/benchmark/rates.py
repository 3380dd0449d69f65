"""Learning rates that were tried, and the choice among them by source development data."""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dgfas.benchmark.results import data_at, other_data, read_results, settings_of
from dgfas.benchmark.study import Asked, Training
from dgfas.core.config import parse_assignments


def validations_of_rates(jobs: Sequence[Training], results: Path) -> dict[str, dict[float, float]]:
    """Return method -> learning rate -> source-development AUC, the mean over the tasks and seeds of `jobs`.

    Rows that an earlier `--tune` tried on the same tasks, seeds and data with the same settings count too: so further
    rates, or methods, can be tried by a later command. Nothing else in folder `results` does.
    """
    data, asked = cache(data_at), [(_but_the_rate(job), job) for job in jobs]
    found: dict[str, dict[float, list[float]]] = {}
    for _, result in read_results(results):
        entry = result.job.entry
        rate = entry.label.rpartition("@")[2]
        if entry.assignments[-1:] != (f"options.learning_rate={rate}",):
            continue
        own = _but_the_rate(result.job)
        if any(own == but_the_rate and other_data(result, job, data) is None for but_the_rate, job in asked):
            value = result.source_validation["mean_domain_auc"]
            found.setdefault(entry.method, {}).setdefault(float(rate), []).append(value)
    return {
        method: {rate: sum(values) / len(values) for rate, values in sorted(rates.items())}
        for method, rates in found.items()
    }


def _but_the_rate(job: Asked) -> dict[str, Any]:
    """Return on what, and how, rates are tried: all but the method and its rate, which is assigned last."""
    own = {"method": None, "--set": parse_assignments(job.entry.assignments[:-1])}
    return {"task": job.task, "seed": job.seed} | settings_of(job) | own


def choose_rates(validations: dict[str, dict[float, float]]) -> dict[str, float]:
    """Return each method's learning rate with the best source validation; of equal ones the one nearest to 1e-3."""
    return {
        method: max(rates, key=lambda rate: (rates[rate], -abs(math.log(rate / 1e-3))))
        for method, rates in validations.items()
    }
