"""The orthogonality term against loops, its zero, and where its step leads."""

import pytest
import torch

from dgfas.losses.orthogonality import orthogonality


def test_equals_loops():
    weight = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    expected = 0.0
    for i in range(2):
        for j in range(2):
            product = sum(weight[i, k].item() * weight[j, k].item() for k in range(3))
            expected += (product - (1.0 if i == j else 0.0)) ** 2 / 2
    assert orthogonality(weight).item() == pytest.approx(expected)
    assert orthogonality(weight[:, :, None, None]).item() == pytest.approx(expected)


def test_is_zero_for_a_rotation_and_pulls_a_collapsed_map_back():
    rotation = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    assert orthogonality(rotation).item() == pytest.approx(0, abs=1e-9)
    weight = (0.1 * rotation).requires_grad_()
    for _ in range(100):
        (gradient,) = torch.autograd.grad(orthogonality(weight), weight)
        with torch.no_grad():
            weight -= 0.1 * gradient
    assert torch.allclose(weight.norm(dim=1), torch.ones(5), atol=0.05)
