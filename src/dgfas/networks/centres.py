"""Feature centres that follow the batches slowly."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Start = Literal["first_batch", "ones"]


class Centres(nn.Module):
    """The centre of each domain's live and spoof features, a moving average over batches (ANRL section 3.3).

    `values (D, 2, C)`: [k, 0] is the live centre of domain k, [k, 1] its spoof centre. Never with gradient. With equal
    numbers of live and spoof samples, the centre of a domain is the mean of its two (the average is linear).
    """

    values: Tensor
    started: Tensor

    def __init__(self, domains: int, channels: int, momentum: float, start: Start) -> None:
        super().__init__()
        self.momentum = momentum
        self.start = start
        self.register_buffer("values", torch.ones(domains, 2, channels))
        self.register_buffer("started", torch.tensor(start == "ones"))

    def restart(self) -> None:
        """Forget all batches."""
        self.values.fill_(1)
        self.started.fill_(self.start == "ones")

    @torch.no_grad()
    def follow(self, domains: Int[Tensor, " k"], means: Float[Tensor, "k 2 c"]) -> None:
        """Move the centres of `domains` to momentum * centre + (1 - momentum) * mean.

        The first batch is taken as it is; a domain not in it starts at the mean of those that are.
        """
        means = means.to(self.values.dtype)  # half precision under autocast
        if not self.started:
            self.values.copy_(means.mean(dim=0).expand_as(self.values))
            self.values[domains] = means
            self.started.fill_(True)
        else:
            self.values[domains] = self.momentum * self.values[domains] + (1 - self.momentum) * means
