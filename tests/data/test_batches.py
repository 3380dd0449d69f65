"""Balanced drawing, and what a batch on the device holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch

from dgfas.core.errors import UserError
from dgfas.core.manifest import Manifest
from dgfas.data.batches import BalancedSampler, Batch, BatchLoader, join
from dgfas.data.frames import pack

PER_CLASS = 3
#: (domain, live) -> number of frames; sizes that the batch does not divide
CELLS = {(0, True): 7, (0, False): 10, (1, True): 4, (1, False): 3, (2, True): 2, (2, False): 11}


def frames(cells: dict[tuple[int, bool], int] = CELLS) -> tuple[np.ndarray, np.ndarray]:
    """Return live and domain of all frames, shuffled."""
    rows = [cell for cell, size in cells.items() for _ in range(size)]
    rows = [rows[k] for k in np.random.default_rng(0).permutation(len(rows))]
    return np.array([live for _, live in rows]), np.array([domain for domain, _ in rows])


def sampler(seed: int = 0, per_class: int = PER_CLASS) -> BalancedSampler:
    live, domain = frames()
    return BalancedSampler(live, domain, 3, per_class, seed)


def test_every_domain_and_class_has_its_share_in_order() -> None:
    live, domain = frames()
    for iteration in range(20):
        rows = sampler().rows(iteration)
        assert domain[rows].tolist() == [0] * 6 + [1] * 6 + [2] * 6
        assert live[rows].tolist() == ([True] * 3 + [False] * 3) * 3


def test_no_frame_is_drawn_again_before_all_of_its_cell_were() -> None:
    live, domain = frames()
    balanced = sampler()
    draws = np.concatenate([balanced.rows(iteration) for iteration in range(50)])
    for (k, of_class), size in CELLS.items():
        cell = [row for row in draws if domain[row] == k and live[row] == of_class]
        for start in range(0, len(cell) - size + 1, size):
            assert len(set(cell[start : start + size])) == size
        rounds = {tuple(cell[start : start + size]) for start in range(0, len(cell) - size + 1, size)}
        assert len(rounds) > 1, "every round has an order of its own"


def test_rows_depend_on_seed_and_iteration_only() -> None:
    forward = [sampler().rows(iteration).tolist() for iteration in range(12)]
    one = sampler()
    assert [one.rows(iteration).tolist() for iteration in reversed(range(12))] == forward[::-1]
    assert sampler(seed=1).rows(0).tolist() != forward[0]


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_out_one_large_batch(world_size: int) -> None:
    large = sampler(per_class=PER_CLASS * world_size)
    balanced = sampler()
    for iteration in range(10):
        parts = [balanced.rows(iteration, rank, world_size) for rank in range(world_size)]
        assert all(len(part) == 6 * PER_CLASS for part in parts)
        assert Counter(np.concatenate(parts).tolist()) == Counter(large.rows(iteration).tolist())


def test_processes_draw_different_frames_while_there_are_enough() -> None:
    live, domain = frames(dict.fromkeys(CELLS, 12))
    balanced = BalancedSampler(live, domain, 3, PER_CLASS, 0)
    first, second = (set(balanced.rows(1, rank, 2).tolist()) for rank in (0, 1))
    assert len(first) == len(second) == 18
    assert not first & second


def test_an_empty_cell_draws_its_class_from_all_domains() -> None:
    live, domain = frames({**CELLS, (1, False): 0})
    balanced = BalancedSampler(live, domain, 3, PER_CLASS, 0)
    drawn = np.concatenate([balanced.rows(iteration)[9:12] for iteration in range(7)])
    assert not live[drawn].any()
    assert set(drawn.tolist()) == set(np.flatnonzero(~live).tolist())


@pytest.mark.parametrize(("only", "missing"), [(True, "spoof"), (False, "live")])
def test_both_classes_are_needed(only: bool, missing: str) -> None:
    live, domain = frames({(0, only): 5, (1, only): 5})
    with pytest.raises(UserError, match=f"no {missing} frame"):
        BalancedSampler(live, domain, 2, 2, 0)


# Batches.


@pytest.fixture
def loader(prepared: Manifest) -> BatchLoader:
    """Return a loader of the prepared data set twice over, the second time in reverse."""
    packed = pack(prepared, 32)
    position = np.array([(0, row) for row in range(6)] + [(1, row) for row in reversed(range(6))])
    live = (prepared.frames["label"] == 1).to_numpy()
    return BatchLoader([packed, packed], position, np.concatenate([live, live[::-1]]), torch.device("cpu"))


NONE = np.zeros(4, bool)
ROWS = np.array([3, 1, 8, 5])  # of data set 0: 3, 1, 5; of data set 1: 11 - 8 = 3
DOMAIN = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0])


def test_a_batch_holds_what_was_packed(loader: BatchLoader) -> None:
    batch = loader.batch(ROWS, DOMAIN, 2, NONE)
    for frame, row in enumerate([3, 1, 3, 5]):
        expected = loader.packed[0].images[row].astype(np.float32) / 255
        assert np.array_equal(batch.images[frame].numpy(), expected)
        assert np.array_equal(batch.depth[frame, 0].numpy(), loader.packed[0].depth[row].astype(np.float32) / 255)
    assert batch.images.dtype == batch.depth.dtype == batch.live.dtype == torch.float32
    assert batch.images.min() >= 0
    assert 0.99 < batch.images.max() <= 1
    assert 0 < batch.depth.max() <= 1
    assert batch.live.tolist() == [1, 0, 1, 0]
    assert batch.depth_known.tolist() == [True, True, True, False]
    assert batch.domain.tolist() == [1, 0, 1, 1]
    assert batch.row.tolist() == ROWS.tolist()
    assert batch.n_domains == 2


def test_a_mirrored_frame_is_flipped_together_with_its_depth(loader: BatchLoader) -> None:
    plain = loader.batch(ROWS, DOMAIN, 2, NONE)
    mirrored = loader.batch(ROWS, DOMAIN, 2, np.array([True, False, False, False]))
    assert np.array_equal(mirrored.images[0].numpy(), plain.images[0].numpy()[:, :, ::-1])
    assert np.array_equal(mirrored.depth[0].numpy(), plain.depth[0].numpy()[:, :, ::-1])
    assert not torch.equal(mirrored.depth[0], plain.depth[0])
    assert torch.equal(mirrored.images[1:], plain.images[1:])
    assert torch.equal(mirrored.depth[1:], plain.depth[1:])


def test_splitting_by_domain_and_joining_are_inverse(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(3)
    parts = batch.by_domain()
    assert [set(part.domain.tolist()) for part in parts] == [{0}, {1}, {2}]
    assert [part.n_domains for part in parts] == [1, 1, 1]
    joined = join(parts)
    assert joined.n_domains == 3
    for field in ("images", "depth", "depth_known", "live", "domain", "row"):
        assert torch.equal(getattr(joined, field), getattr(batch, field)), field


def test_chunks_go_through_all_rows_in_order(loader: BatchLoader) -> None:
    chunks = list(loader.chunks(size=5))
    assert [len(chunk) for chunk in chunks] == [5, 5, 2]
    assert torch.equal(torch.cat(chunks), loader.images(np.arange(12)))
