"""Run under torchrun or Fabric: write what each process stepped with, and its state after some iterations."""

import sys
from pathlib import Path

import torch

from dgfas.core.config import RunConfig, read_yaml, validated
from dgfas.core.progress import Silent
from dgfas.training.loop import Training, _load, launch
from dgfas.training.record import start_record


def main(config_file: str, out: str, iterations: int) -> None:
    config = validated(RunConfig, read_yaml(Path(config_file)), config_file)
    fabric = launch(config.training)
    run = Path(out) / "run"
    training = Training(config, run, _load(config, fabric, Silent()), fabric, Silent())
    if fabric.is_global_zero:
        start_record(run, config, {"manifests": {}})
    training.method.train()
    average = training.method.average
    stepped = []

    def recording(tensors):
        average(tensors)
        stepped.append([tensor.clone() for tensor in tensors])

    training.method.average = recording
    for _ in range(iterations):
        training.name_domains()
        training.step()
    content = {"gradients": stepped[0], "state": training.method.state_dict(), "world_size": fabric.world_size}
    torch.save(content, Path(out) / f"rank{fabric.global_rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
