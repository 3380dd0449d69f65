"""What `network.checkpoint_activations` saves and costs: an RFM update at 256 px and full width, 1 live and 1 spoof
frame a domain. Memory is the peak over what the built method and the batch already take, each in a process of its own.
"""

from benchmarks.memory import in_fresh_process, peak_over_baseline
from benchmarks.networks import FULL_WIDTH, build, random_batch
from benchmarks.result import Figure, times_as_long
from benchmarks.timing import interleaved, one_thread, spread
from dgfas.core.config import NetworkConfig


def network(side: int, checkpoint_activations: bool) -> NetworkConfig:
    return FULL_WIDTH.model_copy(update={"image_size": side, "checkpoint_activations": checkpoint_activations})


def peak(side: int, checkpoint_activations: bool) -> float:
    """Return the bytes that one update takes at most."""
    method, batch = build("rfm", network(side, checkpoint_activations)), random_batch(side, 1)
    return peak_over_baseline(lambda: method.update(batch))


def run(quick: bool) -> list[Figure]:
    one_thread()
    side, rounds, memory_rounds = (128, 2, 2) if quick else (256, 3, 2)
    peaks = [(in_fresh_process(peak, side, True), in_fresh_process(peak, side, False)) for _ in range(memory_rounds)]
    batch = random_batch(side, 1)
    recomputing, keeping = (build("rfm", network(side, checkpoint)) for checkpoint in (True, False))
    works = {"with": lambda: recomputing.update(batch), "without": lambda: keeping.update(batch)}
    times = interleaved(works, rounds)
    size = f"{side} px, full width, 6 frames"
    return [
        Figure(f"{size}: peak memory, with against without", "x", spread(a / b for a, b in peaks), most=0.6),
        Figure(f"{size}: peak memory without", "MB", spread(without / 1e6 for _, without in peaks)),
        times_as_long(f"{size}: step time, with against without", times["with"], times["without"]),
    ]
