"""The two options of the inner update that ANRL's released code has."""

import pytest
import torch
from torch import nn

from dgfas.networks.adapt import adapt, forward_with

STEP = 0.1


class Scale(nn.Module):
    """x -> scale * x; its loss below is the cube of the output."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * x


@pytest.mark.parametrize(("attached", "identity"), [(True, 1.0), (False, 0.0)])
def test_a_detached_step_keeps_only_the_path_through_the_gradient(attached: bool, identity: float) -> None:
    """d scale' / d scale = identity - step * d^2 loss / d scale^2; the value of scale' is the same."""
    module, x = Scale(), torch.tensor(3.0, dtype=torch.float64)
    scale = adapt(module, module(x) ** 3, STEP, attached=attached)["scale"]
    assert scale.item() == pytest.approx(2.0 - STEP * 3 * 6.0**2 * 3.0)
    (derivative,) = torch.autograd.grad(scale, module.scale)
    assert derivative.item() == pytest.approx(identity - STEP * 6 * 6.0 * 3.0**2)


def test_kept_statistics_count_the_batch_as_an_ordinary_forward_does() -> None:
    norm, plain = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    x = torch.tensor([[1.0, 5.0], [3.0, 5.5]])
    weight = {"weight": torch.tensor([2.0, 4.0])}
    plain(x)
    torch.testing.assert_close(
        forward_with(norm, weight, x, keep_statistics=True), forward_with(norm, weight, x), rtol=0, atol=0
    )
    for name, buffer in norm.named_buffers():
        assert torch.equal(buffer, dict(plain.named_buffers())[name]), name
