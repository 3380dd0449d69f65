"""Entropy turned round: make a classifier undecided."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

#: "binary" has its minimum at P = 1/2; "literal" is what eq. 7 prints, with its minimum at P = 1/e.
EntropyForm = Literal["binary", "literal"]


def domain_enhancement_entropy(logit: Float[Tensor, " b"], form: EntropyForm = "binary") -> Float[Tensor, ""]:
    """Return mean(P log P + (1 - P) log(1 - P)), P = sigmoid(logit); between -log 2 (undecided) and 0.

    D2AM eq. 7. Printed there is P log P alone, which pulls P to 1/e and not to the 1/2 that its text states.
    """
    probability = logit.sigmoid()
    loss = probability * F.logsigmoid(logit)
    if form == "binary":
        loss = loss + (1 - probability) * F.logsigmoid(-logit)
    return loss.mean()
