"""Moving centres, step by step."""

import pytest
import torch

from dgfas.networks.centres import Centres


def means(*values: float) -> torch.Tensor:
    """One feature channel: a live and a spoof mean a domain."""
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 2, 1)


def test_the_first_batch_is_taken_as_it_is_and_absent_domains_start_at_its_mean() -> None:
    centres = Centres(3, 1, 0.9, "first_batch")
    centres.follow(torch.tensor([2, 0]), means(1, 2, 3, 6))
    assert centres.values.flatten().tolist() == [3, 6, 2, 4, 1, 2]


@pytest.mark.parametrize(("start", "first"), [("first_batch", 5.0), ("ones", 0.9 * 1 + 0.1 * 5)])
def test_later_batches_move_the_centres_of_their_domains(start: str, first: float) -> None:
    centres = Centres(2, 1, 0.9, start)
    centres.follow(torch.tensor([0, 1]), means(5, 5, 5, 5))
    assert centres.values.flatten().tolist() == pytest.approx([first] * 4)
    centres.follow(torch.tensor([1]), means(0, 10))
    expected = [first, first, 0.9 * first, 0.9 * first + 1]
    assert centres.values.flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize("start", ["first_batch", "ones"])
def test_a_restart_forgets(start: str) -> None:
    centres, fresh = Centres(2, 1, 0.9, start), Centres(2, 1, 0.9, start)
    centres.follow(torch.tensor([0, 1]), means(5, 6, 7, 8))
    centres.restart()
    for each in (centres, fresh):
        each.follow(torch.tensor([0, 1]), means(1, 2, 3, 4))
    assert torch.equal(centres.values, fresh.values)


def test_the_state_is_in_the_buffers() -> None:
    centres, other = Centres(2, 1, 0.9, "first_batch"), Centres(2, 1, 0.9, "first_batch")
    centres.follow(torch.tensor([0, 1]), means(5, 6, 7, 8))
    other.load_state_dict(centres.state_dict())
    for each in (centres, other):
        each.follow(torch.tensor([0]), means(1, 2))
    assert torch.equal(centres.values, other.values)


def test_means_may_come_in_half_precision() -> None:
    centres = Centres(1, 1, 0.9, "first_batch")
    centres.follow(torch.tensor([0]), means(1, 2).bfloat16())
    assert centres.values.flatten().tolist() == [1, 2]
