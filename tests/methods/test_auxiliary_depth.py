"""Auxiliary (Depth): its loss is the depth error, its score the mean of the map."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from dgfas.core.config import NetworkConfig
from dgfas.data.batches import Batch
from dgfas.methods.auxiliary_depth import AuxiliaryDepth
from dgfas.methods.base import Setup
from dgfas.methods.registry import method_options, preset_values


@pytest.fixture
def method() -> AuxiliaryDepth:
    torch.manual_seed(0)
    options = method_options("auxiliary_depth", preset_values("auxiliary_depth", "default"))
    return AuxiliaryDepth(options, Setup(NetworkConfig(image_size=32, width=0.125), 3, 10)).double()


def test_the_loss_is_the_depth_error_averaged_over_domains(
    method: AuxiliaryDepth, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    expected = 0.0
    with torch.no_grad():
        for domain in batch.by_domain():
            maps = method.depth(method.encoder(domain.images).concat)
            errors = [(maps[k] - domain.depth[k]).square().mean().item() for k in range(4) if domain.depth_known[k]]
            expected += sum(errors) / len(errors) / 3
    assert method.update(batch)["loss"] == pytest.approx(expected)


def test_a_frame_of_unknown_depth_teaches_nothing(method: AuxiliaryDepth, make_batch: Callable[..., Batch]) -> None:
    batch = make_batch()
    frame = int((~batch.depth_known).nonzero()[0])
    before = method.update(batch)["loss"]
    torch.manual_seed(0)
    twin = AuxiliaryDepth(method_options("auxiliary_depth", {"learning_rate": 1e-3}), method.setup).double()
    batch.depth[frame] = 1.0
    assert twin.update(batch)["loss"] == before


def test_the_score_is_the_mean_depth_and_says_that_it_is_no_probability(
    method: AuxiliaryDepth, make_batch: Callable[..., Batch]
) -> None:
    images = make_batch().images
    method.eval()
    with torch.no_grad():
        maps, scores = method.depth(method.encoder(images).concat), method.score(images)
    assert scores.tolist() == pytest.approx([frame.mean().item() for frame in maps])
    assert not method.score_is_probability
