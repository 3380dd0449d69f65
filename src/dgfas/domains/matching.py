"""Keep the numbers of clusters stable from one clustering to the next."""

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from scipy.optimize import linear_sum_assignment


def overlap(new: Int[ndarray, " n"], previous: Int[ndarray, " n"], k: int) -> Int[ndarray, "k k"]:
    """Return how many frames are in cluster i of `new` and in cluster j of `previous`, at [i, j]."""
    return np.bincount(new * k + previous, minlength=k * k).reshape(k, k)


def matched(new: Int[ndarray, " n"], previous: Int[ndarray, " n"], k: int) -> Int[ndarray, " n"]:
    """Rename the clusters of `new` so that as many frames as possible keep their number in `previous`.

    Kuhn-Munkres on the overlap (D2AM, "Clustering with Discriminative Domain Representation").
    """
    _, names = linear_sum_assignment(overlap(new, previous, k), maximize=True)
    renamed: ndarray = names[new]
    return renamed.astype(np.int64)
