"""Print the peak memory (MB) and processor time (s) of RFM updates: `SIDE WIDTH BN_BATCHES plain|saving UPDATES`."""

import resource
import sys
import time

import torch

from dgfas.core.config import NetworkConfig
from dgfas.data.batches import Batch
from dgfas.methods.base import Setup
from dgfas.methods.registry import method_options, preset_values
from dgfas.methods.rfm import RFM


def peak_kilobytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(side: int, width: float, bn_batches: str, checkpoint_activations: bool, updates: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = NetworkConfig(image_size=side, width=width, checkpoint_activations=checkpoint_activations)
    rfm = RFM(method_options("rfm", preset_values("rfm", "default")), Setup(network, 3, updates, bn_batches))
    batch = Batch(  # two live and two spoof frames of three domains
        images=torch.rand(12, 6, side, side),
        depth=torch.rand(12, 1, side // 8, side // 8),
        depth_known=torch.ones(12, dtype=torch.bool),
        live=torch.tensor([1.0, 1.0, 0.0, 0.0] * 3),
        domain=torch.arange(3).repeat_interleave(4),
        row=torch.arange(12),
        n_domains=3,
    )
    before, start = peak_kilobytes(), time.process_time()
    for rfm.iteration in range(updates):
        rfm.update(batch)
    print((peak_kilobytes() - before) / 1024, (time.process_time() - start) / updates)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4] == "saving", int(sys.argv[5]))
