"""An RFM update against the plain way of writing it, at 256 px and full width, 1 live and 1 spoof frame a domain.

The plain way: one forward a domain, the inner gradient by autograd, the adapted classifier written out with
torch.nn.functional, one backward, Adam. Both start from the same weights and see the same batch; the run checks that
they arrive at the same losses.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.networks import FULL_WIDTH, build, random_batch
from benchmarks.result import Figure, times_as_long
from benchmarks.timing import interleaved, one_thread
from dgfas.data.batches import Batch
from dgfas.methods.rfm import RFM


def classify(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """RFM's meta learner with batch statistics."""
    for block, pools in ((0, True), (2, True), (4, False)):
        name = f"body.{block}"
        x = F.conv2d(x, weights[f"{name}.0.weight"], weights[f"{name}.0.bias"], padding=1)
        x = F.relu(F.batch_norm(x, None, None, weights[f"{name}.1.weight"], weights[f"{name}.1.bias"], training=True))
        x = F.max_pool2d(x, 2) if pools else x.mean(dim=(2, 3))
    return F.linear(x, weights["output.weight"], weights["output.bias"]).squeeze(1)


class PlainRFM:
    """RFM as a script would write it."""

    def __init__(self, method: RFM) -> None:
        self.encoder, self.learner, self.depth = map(copy.deepcopy, (method.encoder, method.meta_learner, method.depth))
        networks: list[nn.Module] = [self.encoder, self.learner, self.depth]
        self.optimiser = torch.optim.Adam([p for network in networks for p in network.parameters()], lr=1e-3)

    def update(self, batch: Batch, test_domain: int) -> float:
        """Do one iteration; return the loss."""
        parts = batch.by_domain()
        features = [self.encoder(part.images) for part in parts]
        depth_losses = [
            F.mse_loss(self.depth(each.concat), part.depth) for each, part in zip(features, parts, strict=True)
        ]
        loss = 10.0 * torch.stack(depth_losses).sum()
        for k, (each, part) in enumerate(zip(features, parts, strict=True)):
            if k == test_domain:
                continue
            inner = F.binary_cross_entropy_with_logits(self.learner(each.last), part.live)
            weights = dict(self.learner.named_parameters())
            gradients = torch.autograd.grad(inner, list(weights.values()), create_graph=True)
            adapted = {name: w - 1e-3 * g for (name, w), g in zip(weights.items(), gradients, strict=True)}
            logit = classify(adapted, features[test_domain].last)
            loss = loss + inner + F.binary_cross_entropy_with_logits(logit, parts[test_domain].live)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss.item()


def run(quick: bool) -> list[Figure]:
    one_thread()
    side, rounds = (128, 7) if quick else (256, 5)
    method = build("rfm", FULL_WIDTH.model_copy(update={"image_size": side}))
    assert isinstance(method, RFM)
    plain, batch = PlainRFM(method), random_batch(side, 1)
    test_domain = int(method.shared_rng("meta split").permutation(batch.n_domains)[-1])
    losses: dict[str, list[float]] = {"ours": [], "plain": []}
    works = {
        "ours": lambda: losses["ours"].append(sum(method.update(batch).values())),
        "plain": lambda: losses["plain"].append(plain.update(batch, test_domain)),
    }
    times = interleaved(works, rounds)
    torch.testing.assert_close(losses["ours"][:2], losses["plain"][:2], rtol=1e-3, atol=1e-3)
    what = f"step at {side} px, full width, 6 frames: ours against plain"
    return [times_as_long(what, times["ours"], times["plain"], most=1.1)]
