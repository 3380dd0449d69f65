"""Sizes and parameter counts of the heads."""

import torch
from torch import nn

from dgfas.networks.heads import DepthEstimator, MetaLearner


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_full_width_has_the_parameters_of_the_paper() -> None:
    assert parameter_count(MetaLearner(128, 1.0)) == 1_625_217
    assert parameter_count(DepthEstimator(384, 1.0)) == 517_251


def test_the_meta_learner_gives_one_unbounded_number_a_frame() -> None:
    torch.manual_seed(0)
    logit = MetaLearner(16, 0.125)(torch.rand(5, 16, 4, 4))
    assert logit.shape == (5,)
    assert (logit < 0).any()


def test_the_batch_normalisation_momentum_reaches_every_layer_of_the_meta_learner() -> None:
    for momentum in (0.1, 1.0):
        norms = [m for m in MetaLearner(16, 0.125, momentum).modules() if isinstance(m, nn.BatchNorm2d)]
        assert [norm.momentum for norm in norms] == [momentum] * 3


def test_the_depth_map_is_as_large_as_the_features_and_not_negative() -> None:
    torch.manual_seed(0)
    depth = DepthEstimator(48, 0.125)(torch.randn(5, 48, 4, 4))
    assert depth.shape == (5, 1, 4, 4)
    assert depth.min() == 0
    assert depth.max() > 0
