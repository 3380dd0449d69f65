"""Devices, precision and several processes, by Fabric."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor

from dgfas.core.config import TrainingConfig
from dgfas.core.errors import UserError

#: How long a process waits for the first one, which packs the data, names the domains and scores.
PATIENCE = timedelta(days=1)


def launch(config: TrainingConfig) -> Fabric:
    """Start the processes of a run (or join those of torchrun) and set the threads and the precision of each.

    Raises UserError if the accelerator is not there.
    """
    several = config.devices * config.nodes > 1
    try:
        fabric = Fabric(
            accelerator=config.accelerator,
            devices=config.devices,
            num_nodes=config.nodes,
            precision=config.precision,
            strategy=DDPStrategy(timeout=PATIENCE) if several else "auto",
        )
        fabric.launch()
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise UserError(
            f"training.accelerator={config.accelerator} with training.devices={config.devices}: {error}"
        ) from error
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.set_default_dtype(torch.float64 if config.precision == "64-true" else torch.float32)
    return fabric


def averager(fabric: Fabric) -> Callable[[list[Tensor]], None]:
    """Return a function that replaces tensors by their mean over all processes, in one exchange."""

    def average(tensors: list[Tensor]) -> None:
        if fabric.world_size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        flat = cast(Tensor, fabric.all_reduce(flat, reduce_op="mean"))
        with torch.no_grad():
            for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
                tensor.copy_(mean.view_as(tensor))

    return average
