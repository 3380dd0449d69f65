"""Cluster numbers stay where they were, as far as they can."""

from itertools import permutations

import numpy as np
import pytest

from dgfas.domains.matching import matched, overlap


@pytest.mark.parametrize("k", [2, 3, 4])
def test_matching_keeps_the_most_frames_of_all_renamings(k: int) -> None:
    rng = np.random.default_rng(k)
    for _ in range(20):
        new, previous = rng.integers(0, k, 40), rng.integers(0, k, 40)
        kept = max(sum(names[a] == b for a, b in zip(new, previous, strict=True)) for names in permutations(range(k)))
        assert (matched(new, previous, k) == previous).sum() == kept


def test_matching_only_renames() -> None:
    new, previous = np.array([2, 2, 0, 0, 1]), np.array([0, 0, 1, 1, 2])
    np.testing.assert_array_equal(matched(new, previous, 3), previous)


def test_a_cluster_without_frames_before_gets_the_number_that_is_left() -> None:
    new, previous = np.array([0, 0, 1, 2]), np.array([1, 1, 1, 0])
    renamed = matched(new, previous, 3)
    assert renamed[0] == renamed[1] == 1
    assert renamed[3] == 0
    assert renamed[2] == 2


def test_overlap_counts_pairs() -> None:
    new, previous = np.array([0, 0, 1, 2, 2]), np.array([1, 1, 1, 0, 2])
    table = overlap(new, previous, 3)
    for i in range(3):
        for j in range(3):
            assert table[i, j] == sum(a == i and b == j for a, b in zip(new, previous, strict=True))
