"""What an iteration of each learned method costs, relative to `binary_cnn` on the same batch, at the setting `small`.

64 px, a quarter of the width, three domains, 4 live and 4 spoof frames each, default options, given domains. An
iteration is one update of the encoder; `drdg` takes several batches for it. A round is twenty iterations spread over a
run, because some methods change on the way. Memory is the peak over what the built method and the batch already take,
in a process of its own for each method.
"""

from collections.abc import Callable

from benchmarks.memory import in_fresh_process, peak_over_baseline
from benchmarks.networks import SMALL, SMALL_TRAINING, build, random_batch
from benchmarks.result import Figure, times_as_long
from benchmarks.timing import interleaved, one_thread, spread
from dgfas.methods.registry import FOLDER, method_names

REFERENCE = "binary_cnn"
SIDE, PER_CLASS = SMALL.image_size, SMALL_TRAINING["batch_per_class"]
#: A twentieth of the run and one iteration apart, so that every place of a short cycle comes equally often.
TIMED = [k * (SMALL_TRAINING["iterations"] // 20 + 1) for k in range(20)]


def learned_methods() -> list[str]:
    """Return the methods that train a network, the reference first."""
    others = sorted(name for name in method_names() if (FOLDER / f"{name}.py").is_file() and name != REFERENCE)
    return [REFERENCE, *others]


def stepper(name: str) -> Callable[[], None]:
    """Return what does the iterations of a round with a newly built method."""
    method, batch = build(name, SMALL), random_batch(SIDE, PER_CLASS)

    def work() -> None:
        for iteration in TIMED:
            method.iteration = iteration
            for number in method.batches_of(iteration):
                method.batch_number = number
                method.update(batch)

    return work


def peak(name: str) -> float:
    """Return the bytes that the iterations of a round take at most."""
    return peak_over_baseline(stepper(name))


def run(quick: bool) -> list[Figure]:
    one_thread()
    names = learned_methods()
    times = interleaved({name: stepper(name) for name in names}, 2 if quick else 5)
    peaks = {name: in_fresh_process(peak, name) for name in names}
    figures = []
    for name in names:
        figures.append(times_as_long(f"{name}: iteration time", times[name], times[REFERENCE]))
        figures.append(Figure(f"{name}: peak memory", "x", spread([peaks[name] / peaks[REFERENCE]])))
    step = [each.cpu / len(TIMED) for each in times[REFERENCE]]
    figures.append(Figure(f"{REFERENCE}: one iteration on one core", "s", spread(step)))
    figures.append(Figure(f"{REFERENCE}: peak memory of an iteration", "MB", spread([peaks[REFERENCE] / 1e6])))
    return figures


def cost_table(figures: list[dict]) -> str:
    """Return the table of a result's figures in Markdown, one row a method, the dearest last."""
    value = {figure["what"]: figure["value"] for figure in figures}
    names = [what.removesuffix(": iteration time") for what in value if what.endswith(": iteration time")]
    rows = ["| method | iteration time (lowest - highest) | peak memory |", "| --- | --- | --- |"]
    for name in sorted(names, key=lambda name: value[f"{name}: iteration time"]["median"]):
        time, memory = value[f"{name}: iteration time"], value[f"{name}: peak memory"]
        rows.append(
            f"| `{name}` | {time['median']:.2f} ({time['low']:.2f} - {time['high']:.2f}) | {memory['median']:.2f} |"
        )
    step, memory = (
        value[f"{REFERENCE}: {what}"]["median"] for what in ("one iteration on one core", "peak memory of an iteration")
    )
    return "\n".join(rows) + f"\n\nAn iteration of `{REFERENCE}` takes {step:.2g} s on one core and {memory:.2g} MB.\n"
