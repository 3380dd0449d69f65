"""Triplets: an anchor is nearer to its own group than to any other, by a margin."""

from collections.abc import Sequence
from itertools import combinations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def batch_all_triplet(embedding: Float[Tensor, "b c"], group: Int[Tensor, " b"], margin: float) -> Float[Tensor, ""]:
    """Return the mean of d(a, p) - d(a, n) + margin over the triplets where it is positive; 0 if none is.

    All (anchor, positive, negative) with a and p of one group, n of another; d is the Euclidean distance. SSDG's
    asymmetric triplet loss is this with all live frames in one group and each domain's spoofs in one of their own.
    """
    distance = torch.cdist(embedding, embedding)
    same = group[:, None] == group[None, :]
    positive = same & ~torch.eye(len(group), dtype=torch.bool, device=group.device)
    violation = distance[:, :, None] - distance[:, None, :] + margin
    active = positive[:, :, None] & ~same[:, None, :] & (violation > 0)
    return (violation * active).sum() / active.sum().clamp(min=1)


def hardest_triplet(embedding: Float[Tensor, "b c"], group: Int[Tensor, " b"], margin: float) -> Float[Tensor, ""]:
    """Return the mean over anchors of max(0, d(a, farthest of its group) - d(a, nearest other) + margin)."""
    distance = torch.cdist(embedding, embedding)
    same = group[:, None] == group[None, :]
    farthest = distance.masked_fill(~same, 0).amax(dim=1)
    nearest = distance.masked_fill(same, torch.inf).amin(dim=1)
    return (farthest - nearest + margin).clamp(min=0).mean()


def dual_force_triplet(
    embeddings: Sequence[Float[Tensor, "b c"]],
    live: Sequence[Float[Tensor, " b"]],
    inter_margin: float,
    intra_margin: float,
    intra_weight: float,
) -> Float[Tensor, ""]:
    """Return the sum over pairs of domains of the hardest triplets across them, plus the weighted sum within each.

    `embeddings[k]` and `live[k]` are those of domain k; live and spoof are the two groups. MADDG's dual-force triplet
    mining, as its released code has it. A single domain has the second sum only.
    """
    groups = [labels.long() for labels in live]
    loss = torch.zeros((), dtype=embeddings[0].dtype, device=embeddings[0].device)
    for i, j in combinations(range(len(groups)), 2):
        both = torch.cat([embeddings[i], embeddings[j]])
        loss = loss + hardest_triplet(both, torch.cat([groups[i], groups[j]]), inter_margin)
    for embedding, group in zip(embeddings, groups, strict=True):
        loss = loss + intra_weight * hardest_triplet(embedding, group, intra_margin)
    return loss
