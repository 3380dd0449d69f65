"""What every learned baseline is put through: synthetic batches, resuming, finite differences."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dgfas.core.config import NetworkConfig
from dgfas.core.seeding import stable_seed
from dgfas.data.batches import Batch
from dgfas.methods.base import Method, Setup
from dgfas.methods.registry import load_method, method_options, preset_values

SIDE = 32


def make_batch(n_domains: int = 3, per_class: int = 2, seed: int = 0, dtype: torch.dtype = torch.float32) -> Batch:
    """Frames in which live ones have a bright centre and a depth map, spoofs stripes; domains differ in tone."""
    generator = torch.Generator().manual_seed(seed)
    size = 2 * per_class * n_domains
    live = torch.tensor(([1.0] * per_class + [0.0] * per_class) * n_domains)
    domain = torch.arange(n_domains).repeat_interleave(2 * per_class)
    images = 0.3 + 0.2 * torch.rand(size, 6, SIDE, SIDE, generator=generator)
    images += 0.05 * domain[:, None, None, None]
    images[live == 1, :, 10:22, 10:22] += 0.3
    images[live == 0, :, ::4, :] += 0.3
    side = SIDE // 8
    depth = live[:, None, None, None] * torch.rand(size, 1, side, side, generator=generator)
    return Batch(
        images=images.clamp(0, 1).to(dtype),
        depth=depth.to(dtype),
        depth_known=torch.ones(size, dtype=torch.bool),
        live=live.to(dtype),
        domain=domain,
        row=torch.arange(size),
        n_domains=n_domains,
    )


def build(
    name: str,
    preset: str = "default",
    n_domains: int = 3,
    iterations: int = 20,
    bn_batches: Any = "per_domain",
    checkpoint_activations: bool = False,
    **set_: Any,
) -> Method:
    """A small method of fixed initial weights; `set_` changes its options."""
    torch.manual_seed(1)
    network = NetworkConfig(image_size=SIDE, width=0.25, stem_stride=2, checkpoint_activations=checkpoint_activations)
    setup = Setup(network, n_domains, iterations, bn_batches)
    options = method_options(name, preset_values(name, preset) | set_)
    return load_method(name)(options, setup)


def step(method: Method, batch: Batch, iteration: int) -> dict[str, float]:
    """One batch as the training loop gives it: the torch generator is a function of its number."""
    method.train()
    method.iteration = method.batch_number = iteration
    torch.manual_seed(stable_seed("iteration", iteration))
    return method.update(batch)


def training_scores(method: Method, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the live and the spoof frames' scores, domain by domain with batch statistics and without dropout."""
    method.train()
    for module in method.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad():
        score = torch.cat([method.score(part.images) for part in batch.by_domain()])
    return score[batch.live == 1], score[batch.live == 0]


def assert_resumes_identically(make: Callable[[], Method], iterations: int, stop_at: int, n_domains: int = 3) -> None:
    """Stopping, loading everything into a new object and continuing gives the same bits as not stopping."""
    batches = [make_batch(n_domains, seed=k) for k in range(iterations)]
    whole, first = make(), make()
    for k in range(iterations):
        step(whole, batches[k], k)
    for k in range(stop_at):
        step(first, batches[k], k)
    saved = copy.deepcopy((first.state_dict(), {n: o.state_dict() for n, o in first.optimisers.items()}))
    second = make()
    for parameter in second.parameters():
        nn.init.constant_(parameter, 0.123)  # nothing may survive from construction
    second.load_state_dict(saved[0])
    for name, state in saved[1].items():
        second.optimisers[name].load_state_dict(state)
    for k in range(stop_at, iterations):
        step(second, batches[k], k)
    expected = whole.state_dict()
    for name, value in second.state_dict().items():
        assert torch.equal(value, expected[name]), name


def state_of(module: nn.Module) -> dict[str, Tensor]:
    """A copy of a module's parameters."""
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


def changed(module: nn.Module, before: dict[str, Tensor]) -> bool:
    """Whether any parameter differs from `before`."""
    return any(not torch.equal(parameter, before[name]) for name, parameter in module.named_parameters())


def assert_same_gradients(method: Method, loss: Tensor, twin: Method, expected: Tensor) -> None:
    """Hold the gradients of a loss to those that the method's copy has of another way to the same value: in float64."""
    gradients = torch.autograd.grad(loss, list(method.parameters()), allow_unused=True, materialize_grads=True)
    others = torch.autograd.grad(expected, list(twin.parameters()), allow_unused=True, materialize_grads=True)
    for (name, _), gradient, other in zip(method.named_parameters(), gradients, others, strict=True):
        assert (gradient - other).norm() <= 1e-8 * other.norm() + 1e-10, name


def gradient_error(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter], step_size: float = 1e-9) -> float:
    """The relative difference between the gradient of `loss` and its central difference, along a random direction.

    The step is tiny because the networks have kinks (ReLU, max-pooling): use float64.
    """
    chosen = list(parameters)
    generator = torch.Generator().manual_seed(3)
    direction = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in chosen]
    gradients = torch.autograd.grad(loss(), chosen, allow_unused=True)
    analytic = sum((g * d).sum().item() for g, d in zip(gradients, direction, strict=True) if g is not None)
    start = [p.detach().clone() for p in chosen]
    values = []
    for signed_step in (step_size, -step_size):
        with torch.no_grad():
            for p, origin, d in zip(chosen, start, direction, strict=True):
                p.copy_(origin + signed_step * d)
        values.append(loss().item())
    with torch.no_grad():
        for p, origin in zip(chosen, start, strict=True):
            p.copy_(origin)
    numeric = (values[0] - values[1]) / (2 * step_size)
    return abs(analytic - numeric) / abs(numeric)
