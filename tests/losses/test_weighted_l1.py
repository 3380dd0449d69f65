"""MetaReg's regulariser against a loop, and what its step does."""

import pytest
import torch

from dgfas.losses.weighted_l1 import weighted_l1


def test_equals_a_loop():
    weight, importance = torch.tensor([[1.0, -2.0], [0.5, 0.0]]), torch.tensor([[0.1, 0.2], [0.0, 3.0]])
    pairs = zip(weight.flatten().tolist(), importance.flatten().tolist(), strict=True)
    assert weighted_l1(weight, importance).item() == pytest.approx(sum(i * abs(w) for w, i in pairs))


def test_a_step_shrinks_what_has_importance_and_leaves_the_rest():
    weight = torch.tensor([1.0, -1.0, 1.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(weighted_l1(weight, torch.tensor([0.5, 0.5, 0.0])), weight)
    assert torch.equal(weight - 0.1 * gradient, torch.tensor([0.95, -0.95, 1.0]))
