"""Reptile: its walk against gradient descent written by hand, the part of it that is kept, processes."""

import pytest
import torch
from method_checks import assert_resumes_identically, build, make_batch, state_of, step
from torch.nn import functional as F

from dgfas.methods.base import NonFiniteLossError


@pytest.mark.parametrize("n_domains", [1, 2, 3, 5])
def test_works_with_any_number_of_sources(n_domains):
    assert set(step(build("reptile", n_domains=n_domains), make_batch(n_domains), 0)) == {"loss", "displacement"}


def walk_by_hand(batch, learning_rate):
    """Gradient descent through the sources with torch's optimiser on a twin."""
    twin = build("reptile").double()
    optimiser = torch.optim.SGD(twin.network.parameters(), learning_rate)
    domains = batch.by_domain()
    for k in twin.shared_rng("order of sources").permutation(len(domains)):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(twin.network(domains[k].images), domains[k].live).backward()
        optimiser.step()
    return twin


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_update_goes_part_of_a_walk_of_gradient_descent(epsilon):
    batch = make_batch(dtype=torch.float64)
    method = build("reptile", learning_rate=0.1, epsilon=epsilon).double()
    start = state_of(method.network)
    method.update(batch)
    end = state_of(walk_by_hand(batch, 0.1).network)
    for name, parameter in method.network.named_parameters():
        assert torch.allclose(parameter, (1 - epsilon) * start[name] + epsilon * end[name], atol=1e-12), name


def test_the_walk_is_not_one_joint_step():
    """Negative control: later gradients are taken where earlier steps led."""
    batch = make_batch(dtype=torch.float64)
    method = build("reptile", learning_rate=0.1).double()
    parameters = dict(method.network.named_parameters())
    losses = [F.binary_cross_entropy_with_logits(method.network(d.images), d.live) for d in batch.by_domain()]
    joint = torch.autograd.grad(sum(losses), list(parameters.values()))
    adapted, _ = method.inner_walk(batch)
    same = [
        torch.allclose(adapted[name], parameter - 0.1 * gradient, rtol=1e-3, atol=1e-6)
        for (name, parameter), gradient in zip(parameters.items(), joint, strict=True)
    ]
    assert not all(same)


def test_order_of_the_sources_varies_and_all_take_part():
    method, batch = build("reptile"), make_batch()
    walk, orders = [], set()
    domains = [part.images for part in batch.by_domain()]
    method.network.register_forward_pre_hook(
        lambda _, images: walk.extend(k for k, own in enumerate(domains) if torch.equal(own, images[0]))
    )
    for method.iteration in range(20):
        walk.clear()
        method.inner_walk(batch)
        assert sorted(walk) == [0, 1, 2]
        orders.add(tuple(walk))
    assert len(orders) > 3
    assert {order[0] for order in orders} == {0, 1, 2}


def test_processes_share_the_mean_displacement():
    batch = make_batch(dtype=torch.float64)
    alone, averaged = build("reptile").double(), build("reptile").double()
    start = state_of(alone.network)
    averaged.average = lambda tensors: [tensor.div_(2) for tensor in tensors]  # as if another process stood still
    alone.update(batch)
    averaged.update(batch)
    for name, parameter in averaged.network.named_parameters():
        expected = start[name] + (dict(alone.network.named_parameters())[name] - start[name]) / 2
        assert torch.allclose(parameter, expected, atol=1e-12), name


def test_running_statistics_follow_the_first_source_of_the_order():
    method, batch = build("reptile"), make_batch()
    k = int(method.shared_rng("order of sources").permutation(3)[0])
    method.update(batch)
    twin = build("reptile")
    twin.network(batch.by_domain()[k].images)
    for name, value in twin.network.named_buffers():
        assert torch.equal(dict(method.network.named_buffers())[name], value), name


def test_a_loss_that_is_not_finite_changes_nothing():
    method, batch = build("reptile"), make_batch()
    batch.images[-1] = float("nan")
    start = state_of(method.network)
    with pytest.raises(NonFiniteLossError):
        step(method, batch, 0)
    assert all(torch.equal(parameter, start[name]) for name, parameter in method.network.named_parameters())


def test_resumes_bit_identically():
    assert_resumes_identically(lambda: build("reptile"), iterations=4, stop_at=2)
