"""Both losses against plain loops."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError

from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error

LOGITS = [-1.5, 0.25, 3.0]
LIVE = [0.0, 1.0, 0.0]
WEIGHTS = [0.5, 2.0, 1.25]


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_of_the_probability_of_live(weights: list[float] | None) -> None:
    total = 0.0
    for logit, live, weight in zip(LOGITS, LIVE, weights or [1.0] * 3, strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= weight * (live * math.log(p) + (1 - live) * math.log(1 - p))
    given = None if weights is None else torch.tensor(weights)
    assert binary_cross_entropy(torch.tensor(LOGITS), torch.tensor(LIVE), given).item() == pytest.approx(total / 3)


def test_cross_entropy_stays_finite_far_out() -> None:
    assert binary_cross_entropy(torch.tensor([-1e4]), torch.tensor([1.0])).item() == pytest.approx(1e4)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("known", [[True, True, True], [True, False, True], [False, True, False]])
def test_depth_error_is_a_mean_over_pixels_and_known_frames(known: list[bool], weights: list[float] | None) -> None:
    torch.manual_seed(0)
    predicted, depth = torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)
    total = 0.0
    for frame in range(3):
        if known[frame]:
            squares = 0.0
            for row in range(4):
                for column in range(4):
                    squares += (predicted[frame, 0, row, column] - depth[frame, 0, row, column]).item() ** 2
            total += squares / 16 * (1.0 if weights is None else weights[frame])
    given = None if weights is None else torch.tensor(weights)
    error = depth_error(predicted, depth, torch.tensor(known), given)
    assert error.item() == pytest.approx(total / sum(known), rel=1e-5)


def test_no_known_depth_is_no_error_and_no_gradient() -> None:
    predicted = torch.rand(2, 1, 4, 4, requires_grad=True)
    error = depth_error(predicted, torch.zeros(2, 1, 4, 4), torch.tensor([False, False]))
    error.backward()
    assert error.item() == 0
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_depth_maps_of_unequal_size_are_refused() -> None:
    """The sizes would broadcast; the annotated shapes are checked in tests."""
    with pytest.raises(TypeCheckError, match="depth"):
        depth_error(torch.rand(3, 1, 4, 4), torch.rand(3, 1, 1, 1), torch.tensor([True] * 3))
