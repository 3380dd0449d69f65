"""Triplet losses against loops over triplets, and the direction in which they pull."""

import math

import pytest
import torch

from dgfas.losses.triplet import batch_all_triplet, dual_force_triplet, hardest_triplet


def embedding(n, seed=0):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a.tolist(), b.tolist(), strict=True)))


def hardest_by_loops(x, group, margin):
    total = 0.0
    for a in range(len(x)):
        farthest = max(distance(x[a], x[p]) for p in range(len(x)) if group[p] == group[a])
        nearest = min(distance(x[a], x[n]) for n in range(len(x)) if group[n] != group[a])
        total += max(0.0, farthest - nearest + margin)
    return total / len(x)


@pytest.mark.parametrize("margin", [0.1, 2.0])
def test_batch_all_equals_loops(margin):
    x, group = embedding(8), torch.tensor([0, 0, 0, 1, 1, 2, 2, 2])
    violations = []
    for a in range(8):
        for p in range(8):
            for n in range(8):
                if p != a and group[p] == group[a] and group[n] != group[a]:
                    violations.append(distance(x[a], x[p]) - distance(x[a], x[n]) + margin)
    active = [v for v in violations if v > 0]
    assert 0 < len(active) <= len(violations)
    assert batch_all_triplet(x, group, margin).item() == pytest.approx(sum(active) / len(active))


def test_batch_all_is_zero_when_no_triplet_violates():
    x = torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 0.0]], requires_grad=True)
    loss = batch_all_triplet(x, torch.tensor([0, 0, 1, 1]), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(x.grad, torch.zeros(4, 2))


def test_hardest_equals_loops():
    x, group = embedding(7), torch.tensor([0, 1, 0, 1, 0, 0, 1])
    assert hardest_triplet(x, group, 0.5).item() == pytest.approx(hardest_by_loops(x, group.tolist(), 0.5))


@pytest.mark.parametrize("n_domains", [1, 2, 3, 4])
def test_dual_force_equals_loops_over_pairs_and_domains(n_domains):
    parts = [embedding(4, seed) for seed in range(n_domains)]
    live = [torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)] * n_domains
    expected = 0.0
    for i in range(n_domains):
        expected += 0.2 * hardest_by_loops(parts[i], [1, 1, 0, 0], 0.1)
        for j in range(i + 1, n_domains):
            expected += hardest_by_loops(torch.cat([parts[i], parts[j]]), [1, 1, 0, 0] * 2, 0.5)
    assert dual_force_triplet(parts, live, 0.5, 0.1, 0.2).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [batch_all_triplet, hardest_triplet])
def test_a_step_pulls_a_group_together_and_pushes_groups_apart(loss):
    x, group = embedding(6).requires_grad_(), torch.tensor([0, 0, 0, 1, 1, 1])

    def within_and_between():
        d = torch.cdist(x, x).detach()
        same = group[:, None] == group[None, :]
        return d[same].mean(), d[~same].mean()

    within, between = within_and_between()
    for _ in range(20):
        (gradient,) = torch.autograd.grad(loss(x, group, 1.0), x)
        with torch.no_grad():
            x -= 0.1 * gradient
    pulled, pushed = within_and_between()
    assert pulled < within
    assert pushed > between


def test_hardest_has_finite_gradients_where_points_coincide():
    x = torch.zeros(4, 2, requires_grad=True)
    hardest_triplet(x, torch.tensor([0, 0, 1, 1]), 0.1).backward()
    assert torch.isfinite(x.grad).all()
