"""D2AM's DRLM and channel statistics by loops, and its meta learner."""

import math

import pytest
import torch

from dgfas.networks.domain_representation import DomainRepresentation, channel_statistics
from dgfas.networks.heads import AdaptationLearner, MetaLearner


@pytest.fixture
def features() -> torch.Tensor:
    return torch.rand(2, 16, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def drlm() -> DomainRepresentation:
    torch.manual_seed(0)
    return DomainRepresentation(16, reduction=2).double()


def test_channel_statistics_by_loops(features: torch.Tensor) -> None:
    mean, deviation = channel_statistics(features)
    for frame in range(2):
        for channel in range(16):
            pixels = [features[frame, channel, y, x].item() for y in range(3) for x in range(4)]
            mu = sum(pixels) / 12
            sigma = math.sqrt(sum((p - mu) ** 2 for p in pixels) / 12 + 1e-5)
            assert mean[frame, channel].item() == pytest.approx(mu)
            assert deviation[frame, channel].item() == pytest.approx(sigma)


def test_channel_statistics_are_what_instance_normalisation_takes_out(features: torch.Tensor) -> None:
    """Eq. 1."""
    layer = torch.nn.InstanceNorm2d(16, affine=True).double()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    mean, deviation = (statistic[:, :, None, None] for statistic in channel_statistics(features))
    gamma, eta = layer.weight[:, None, None], layer.bias[:, None, None]
    torch.testing.assert_close(gamma * (features - mean) / deviation + eta, layer(features))


def test_attention_by_loops(drlm: DomainRepresentation, features: torch.Tensor) -> None:
    """Eq. 4 to 6, and pool(F-) of eq. 7."""
    first, second = drlm.squeeze.weight.tolist(), drlm.excite.weight.tolist()
    assert len(first) == 8
    for frame in range(2):
        pooled = [features[frame, c].mean().item() for c in range(16)]
        hidden = [max(0.0, sum(w * p for w, p in zip(row, pooled, strict=True))) for row in first]
        for c in range(16):
            a = 1 / (1 + math.exp(-sum(w * h for w, h in zip(second[c], hidden, strict=True))))
            assert drlm.attention(features)[frame, c].item() == pytest.approx(a)
            torch.testing.assert_close(drlm(features)[frame, c], a * features[frame, c])
            torch.testing.assert_close(drlm.domain_features(features)[frame, c], (1 - a) * features[frame, c])
            assert drlm.pooled_domain_features(features)[frame, c].item() == pytest.approx((1 - a) * pooled[c])


def test_task_and_domain_features_add_up(drlm: DomainRepresentation, features: torch.Tensor) -> None:
    torch.testing.assert_close(drlm(features) + drlm.domain_features(features), features)
    assert 0.01 < drlm.attention(features).std() < 0.5


@pytest.mark.parametrize(("channels", "squeezed"), [(128, 8), (256, 16), (32, 8)])
def test_the_squeeze_never_gets_too_narrow(channels: int, squeezed: int) -> None:
    assert DomainRepresentation(channels, reduction=16).squeeze.out_features == squeezed


def test_the_adaptation_layer_is_linear_and_comes_before_the_output() -> None:
    torch.manual_seed(0)
    learner = AdaptationLearner(8, width=0.25).double()
    features = torch.rand(64, 8, 4, 4, dtype=torch.float64)
    logit, adapted = learner(features)
    assert logit.shape == (64,)
    assert adapted.shape == (64, 128)
    assert (adapted < 0).double().mean() > 0.2, "a ReLU would leave nothing below 0"
    expected = learner.body(features) @ learner.adaptation.weight.T + learner.adaptation.bias
    torch.testing.assert_close(adapted, expected)
    torch.testing.assert_close(logit, (expected @ learner.output.weight.T)[:, 0] + learner.output.bias)


def test_the_adaptation_layer_is_all_that_it_adds_to_the_meta_learner_of_rfm() -> None:
    ours, theirs = (sum(p.numel() for p in kind(128, 1.0).parameters()) for kind in (AdaptationLearner, MetaLearner))
    assert ours - theirs == 512 * 512 + 512
    assert AdaptationLearner(128, 1.0, bn_momentum=1.0).body[0][1].momentum == 1.0
