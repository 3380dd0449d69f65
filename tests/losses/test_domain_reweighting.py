"""DRDG's weights and weighted likelihoods against loops, and which way they pull."""

import math

import pytest
import torch
from torch import Tensor

from dgfas.losses.domain_likelihood import domain_cross_entropy, domain_log_likelihood, weighted_domain_likelihood
from dgfas.losses.sample_weights import mean_one, reversed_from_largest

DOMAIN = torch.tensor([0, 1, 2, 1])
LIVE = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
WEIGHT = torch.tensor([0.2, 0.9, 0.6, 0.3], dtype=torch.float64)


def logits() -> Tensor:
    return 3 * torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def slow_log_likelihoods(scores: Tensor) -> list[float]:
    """log softmax at the true domain, sample by sample."""
    values = []
    for row, k in zip(scores.tolist(), DOMAIN.tolist(), strict=True):
        values.append(math.log(math.exp(row[k]) / sum(math.exp(value) for value in row)))
    return values


def test_the_likelihoods_equal_the_loops() -> None:
    scores = logits()
    slow = slow_log_likelihoods(scores)
    log_likelihood = domain_log_likelihood(scores, DOMAIN)
    assert log_likelihood.tolist() == pytest.approx(slow)
    assert domain_cross_entropy(scores, DOMAIN).item() == pytest.approx(-sum(slow) / 4)
    expected = sum(w * value for w, value in zip(WEIGHT.tolist(), slow, strict=True)) / 4
    assert weighted_domain_likelihood(log_likelihood, WEIGHT).item() == pytest.approx(expected)


def test_below_the_floor_there_is_no_gradient() -> None:
    scores = torch.tensor([[-20.0, 0.0, 0.0], [0.0, 1.0, 0.0]], requires_grad=True)
    value = domain_log_likelihood(scores, torch.tensor([0, 1]), floor=1e-4)
    assert value[0].item() == pytest.approx(math.log(1e-4))
    (slope,) = torch.autograd.grad(value.sum(), scores)
    assert slope[0].abs().sum() == 0
    assert slope[1].abs().sum() > 0


def test_minimising_the_weighted_likelihood_fools_the_discriminator() -> None:
    scores = logits().requires_grad_()
    (slope,) = torch.autograd.grad(weighted_domain_likelihood(domain_log_likelihood(scores, DOMAIN), WEIGHT), scores)
    after = scores.detach() - slope
    assert domain_cross_entropy(after, DOMAIN) > domain_cross_entropy(scores, DOMAIN)
    probabilities = [each.softmax(dim=1)[torch.arange(4), DOMAIN] for each in (scores, after)]
    assert (probabilities[1] < probabilities[0]).all()


def test_weights_of_mean_one_a_class() -> None:
    expected = [0.2 / 0.4, 0.9 / 0.6, 0.6 / 0.4, 0.3 / 0.6]
    assert mean_one(WEIGHT, LIVE).tolist() == pytest.approx(expected)
    assert mean_one(2 * WEIGHT, LIVE).tolist() == pytest.approx(expected)
    assert mean_one(torch.zeros_like(WEIGHT), LIVE).tolist() == [0, 0, 0, 0]


def test_reversed_weights_a_class() -> None:
    assert reversed_from_largest(WEIGHT, LIVE).tolist() == pytest.approx([1 - 0.2 / 0.6, 0, 0, 1 - 0.3 / 0.9])


def test_raw_weights_fall_for_the_trivial_solution_and_weights_of_mean_one_do_not() -> None:
    """The literal eq. 2 gains by raising all weights; of mean one, only by raising those of hard samples."""
    weight = WEIGHT.clone().requires_grad_()
    log_likelihood = torch.tensor([-0.1, -0.1, -2.0, -2.0], dtype=torch.float64)
    (raw,) = torch.autograd.grad(weighted_domain_likelihood(log_likelihood, weight), weight)
    (scaled,) = torch.autograd.grad(weighted_domain_likelihood(log_likelihood, mean_one(weight, LIVE)), weight)
    assert (raw < 0).all()
    assert scaled.sign().tolist() == [1, 1, -1, -1], "hard samples (low likelihood) up, easy ones down"
