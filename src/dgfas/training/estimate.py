"""How long a run will take."""

from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from dgfas.core.config import NetworkConfig, RunConfig, TrainingConfig, merge, setting_values
from dgfas.core.progress import in_words
from dgfas.networks.encoder import Encoder


@cache
def encoder_flops(network: NetworkConfig) -> int:
    """Return the floating-point operations of one forward of the encoder on one frame."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        Encoder(network)(torch.empty(1, 6, network.image_size, network.image_size))
    return counter.get_total_flops()


def expected_duration(config: RunConfig, iterations: int, batches: int, seconds_per_iteration: float) -> str:
    """Return a line on how long `iterations` take; where that is long on a CPU, what the setting `small` would take.

    `batches` is the number of batches that they consume; some methods take several for an update of the encoder.
    """
    training, network = config.training, config.network
    text = (
        f"{iterations} iterations ({batches} batches of {2 * training.batch_per_class} frames a domain): "
        f"about {in_words(iterations * seconds_per_iteration)}"
    )
    if network.image_size < 256 or training.accelerator not in ("cpu", "auto") or torch.cuda.is_available():
        return text
    values = setting_values("small")
    small_network = NetworkConfig(**values["network"])
    small = TrainingConfig(**merge(training.model_dump(), values["training"]))
    work = encoder_flops(small_network) * small.batch_per_class * small.iterations
    here = encoder_flops(network) * training.batch_per_class
    return f"{text}; the setting `small` would take about {in_words(seconds_per_iteration * work / here)} on this CPU"
