"""Gradient reversal reverses; the schedule rises from 0 to 1; least squares equals a loop."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dgfas.losses.adversarial import (
    least_squares,
    logistic_critic,
    logistic_generator,
    reversal_strength,
    reverse_gradient,
)


def test_forward_is_the_identity_and_backward_is_reversed_and_scaled():
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(y, x)
    (y * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert torch.equal(x.grad, torch.tensor([-0.5, -5.0, -50.0]))


@pytest.mark.parametrize(("reversed_", "falls"), [(True, True), (False, False)])
def test_reversal_hides_what_a_critic_looks_for(reversed_, falls):
    """Features trained through a reversed critic hide their domain; trained through a plain one they show it."""
    torch.manual_seed(0)
    domain = torch.arange(2).repeat_interleave(20)
    inputs = torch.randn(40, 4) + 0.5 * domain[:, None]
    features, critic = nn.Linear(4, 4), nn.Linear(4, 2)

    def separation():
        x = features(inputs).detach()
        gap = (x[domain == 1].mean(0) - x[domain == 0].mean(0)).norm()
        return (gap / x.std(0).norm()).item()

    before = separation()
    optimiser = torch.optim.SGD([*features.parameters(), *critic.parameters()], lr=0.1)
    for _ in range(60):
        x = features(inputs)
        optimiser.zero_grad()
        F.cross_entropy(critic(reverse_gradient(x, 1.0) if reversed_ else x), domain).backward()
        optimiser.step()
    assert (separation() < before) == falls


def test_schedule():
    assert reversal_strength(0.0) == 0.0
    assert reversal_strength(0.25) == pytest.approx(2 / (1 + math.exp(-2.5)) - 1)
    assert reversal_strength(1.0) == pytest.approx(1.0, abs=1e-3)


def test_least_squares_equals_a_loop():
    score = torch.tensor([[0.5, -1.0], [2.0, 0.0]])
    for target in (0.0, 1.0):
        expected = sum((s - target) ** 2 for s in score.flatten().tolist()) / 4
        assert least_squares(score, target).item() == pytest.approx(expected)


def test_logistic_losses_equal_loops():
    real, generated = torch.tensor([0.3, -2.0]), torch.tensor([1.5, 0.0, -0.7])

    def log_sigmoid(values):
        return [math.log(1 / (1 + math.exp(-v))) for v in values]

    critic = -sum(log_sigmoid(real.tolist())) / 2 - sum(log_sigmoid((-generated).tolist())) / 3
    assert logistic_critic(real, generated).item() == pytest.approx(critic)
    assert logistic_generator(generated).item() == pytest.approx(-sum(log_sigmoid(generated.tolist())) / 3)


def test_the_logistic_game_brings_points_to_the_prior():
    torch.manual_seed(0)
    points = (3 + 0.1 * torch.randn(64, 1)).requires_grad_()
    critic = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    critic_optimiser = torch.optim.Adam(critic.parameters(), lr=0.02)
    optimiser = torch.optim.Adam([points], lr=0.05)
    for _ in range(100):
        prior = torch.distributions.Laplace(0.0, 0.5**0.5).sample((64, 1))
        critic_optimiser.zero_grad()
        logistic_critic(critic(prior), critic(points.detach())).backward()
        critic_optimiser.step()
        optimiser.zero_grad()
        logistic_generator(critic(points)).backward()
        optimiser.step()
    assert abs(points.mean().item()) < 1
