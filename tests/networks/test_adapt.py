"""The inner update, on a function whose derivatives are known."""

import pytest
import torch
from torch import nn

from dgfas.networks.adapt import adapt, forward_with

STEP = 0.1


class Cubic(nn.Module):
    """x -> scale * x + offset; its loss below is the cube of the output."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
        self.offset = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.unused = nn.Parameter(torch.tensor(7.0, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * x + self.offset


def test_one_step_downhill() -> None:
    module, x = Cubic(), torch.tensor(3.0, dtype=torch.float64)
    adapted = adapt(module, module(x) ** 3, STEP)
    output = 2.0 * 3.0 + 0.5  # the gradient of output^3 is 3 output^2 (x, 1)
    assert adapted["scale"].item() == pytest.approx(2.0 - STEP * 3 * output**2 * 3.0)
    assert adapted["offset"].item() == pytest.approx(0.5 - STEP * 3 * output**2)
    assert adapted["unused"] is module.unused
    assert module.scale.item() == 2.0


@pytest.mark.parametrize(("order", "curvature"), [("second", 6 * 6.5 * 3.0**2), ("first", 0.0)])
def test_the_derivative_of_the_step(order: str, curvature: float) -> None:
    """d scale' / d scale = 1 - step * d^2 loss / d scale^2, the second term only with order "second"."""
    module, x = Cubic(), torch.tensor(3.0, dtype=torch.float64)
    adapted = adapt(module, module(x) ** 3, STEP, order)
    (derivative,) = torch.autograd.grad(adapted["scale"], module.scale)
    assert derivative.item() == pytest.approx(1 - STEP * curvature)


def test_names_restrict_the_step() -> None:
    module, x = Cubic(), torch.tensor(3.0, dtype=torch.float64)
    assert adapt(module, module(x) ** 3, STEP, names=["offset"]).keys() == {"offset"}


def test_forward_with_uses_the_given_parameters_and_leaves_the_module_alone() -> None:
    module, x = Cubic(), torch.tensor(3.0, dtype=torch.float64)
    changed = {"offset": torch.tensor(10.0, dtype=torch.float64)}
    assert forward_with(module, changed, x).item() == 2.0 * 3.0 + 10.0
    assert module(x).item() == 2.0 * 3.0 + 0.5


def test_forward_with_normalises_by_the_batch_and_counts_nothing() -> None:
    norm = nn.BatchNorm1d(2)
    x = torch.tensor([[1.0, 5.0], [3.0, 5.5]])
    output = forward_with(norm, dict(norm.named_parameters()), x)
    torch.testing.assert_close(output.mean(dim=0), torch.zeros(2), rtol=0, atol=1e-6)
    assert norm.num_batches_tracked.item() == 0
    assert norm.running_mean.tolist() == [0, 0]
    assert norm.running_var.tolist() == [1, 1]
