"""The networks and batches that several benchmarks time."""

import torch

from dgfas.core.config import NetworkConfig, setting_values
from dgfas.data.batches import Batch
from dgfas.methods.base import Method, Setup
from dgfas.methods.registry import load_method, method_options, preset_values

FULL_WIDTH = NetworkConfig(image_size=256, width=1.0)
SMALL = NetworkConfig(**setting_values("small")["network"])
SMALL_TRAINING = setting_values("small")["training"]
N_DOMAINS = 3


def build(name: str, network: NetworkConfig) -> Method:
    """Return a method with its default options and fixed initial weights."""
    torch.manual_seed(0)
    options = method_options(name, preset_values(name, "default"))
    method = load_method(name)(options, Setup(network, N_DOMAINS, SMALL_TRAINING["iterations"]))
    return method.train()


def random_batch(side: int, per_class: int) -> Batch:
    """Return a batch of `per_class` live and as many spoof frames of three domains, of random pixels."""
    generator = torch.Generator().manual_seed(0)
    n = 2 * per_class * N_DOMAINS
    live = torch.tensor(([1.0] * per_class + [0.0] * per_class) * N_DOMAINS)
    depth = torch.rand(n, 1, side // 8, side // 8, generator=generator) * live[:, None, None, None]
    return Batch(
        images=torch.rand(n, 6, side, side, generator=generator),
        depth=depth,
        depth_known=torch.ones(n, dtype=torch.bool),
        live=live,
        domain=torch.arange(N_DOMAINS).repeat_interleave(2 * per_class),
        row=torch.arange(n),
        n_domains=N_DOMAINS,
    )
