"""Keep a linear map from collapsing or exploding: its rows are to be orthonormal."""

import torch
from jaxtyping import Float
from torch import Tensor


def orthogonality(weight: Float[Tensor, "o ..."]) -> Float[Tensor, ""]:
    """Return ||W W^T - I||_F^2 / o, W the weight as a matrix of o rows; 0 when the rows are orthonormal."""
    rows = weight.flatten(start_dim=1)
    identity = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
    return (rows @ rows.T - identity).square().sum() / len(rows)
