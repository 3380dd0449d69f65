"""Binary CNN's update: cross-entropy, averaged over domains."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from dgfas.core.config import NetworkConfig
from dgfas.data.batches import Batch
from dgfas.methods.base import Setup
from dgfas.methods.binary_cnn import BinaryCNN
from dgfas.methods.registry import method_options, preset_values


def make(bn_batches: str, n_domains: int = 3) -> BinaryCNN:
    torch.manual_seed(0)
    options = method_options("binary_cnn", preset_values("binary_cnn", "default"))
    network = NetworkConfig(image_size=32, width=0.125)
    return BinaryCNN(options, Setup(network, n_domains, 10, bn_batches)).double()


@pytest.mark.parametrize("n_domains", [1, 3])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_the_loss_and_its_gradients(bn_batches: str, n_domains: int, make_batch: Callable[..., Batch]) -> None:
    """`mixed` differs from `per_domain` only in what the batch statistics are taken over."""
    method, twin, batch = make(bn_batches, n_domains), make(bn_batches, n_domains), make_batch(n_domains)
    gradients = {}
    method.optimiser.register_step_pre_hook(
        lambda *_: gradients.update({name: p.grad.clone() for name, p in method.named_parameters()})
    )
    value = method.update(batch)["loss"]

    frames = [range(12)[4 * k : 4 * k + 4] for k in range(n_domains)]
    if bn_batches == "mixed":
        frames = [range(4 * n_domains)]
    loss = torch.zeros((), dtype=torch.float64)
    for group in frames:
        logits = twin.classifier(twin.encoder(batch.images[list(group)]).last)
        for logit, frame in zip(logits, group, strict=True):
            signed = logit if batch.live[frame] == 1 else -logit
            loss = loss - F.logsigmoid(signed) / (4 * n_domains)
    loss.backward()
    assert value == pytest.approx(loss.item())
    for name, parameter in twin.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, msg=name)


def test_the_score_is_the_probability_of_live(make_batch: Callable[..., Batch]) -> None:
    method, batch = make("per_domain"), make_batch()
    for _ in range(5):
        method.update(batch)
    with torch.no_grad():  # in training mode: the running statistics have seen five batches only
        scores = torch.cat([method.score(domain.images) for domain in batch.by_domain()])
    assert scores.shape == (12,)
    assert scores[batch.live == 1].min() > scores[batch.live == 0].max()
    assert scores.min() > 0
    assert scores.max() < 1
