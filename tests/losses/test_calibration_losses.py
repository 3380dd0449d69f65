"""ANRL's two calibration losses against loops, and which way they pull."""

import pytest
import torch
from torch import Tensor

from dgfas.losses.inter_class_separable import inter_class_separable
from dgfas.losses.inter_domain_compatible import inter_domain_compatible, inter_domain_distance, intra_domain_distance
from dgfas.losses.squared_distance import squared_distance

DOMAIN = torch.tensor([0, 0, 1, 1, 1, 2])
LIVE = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
CHANNELS = 4


def features() -> Tensor:
    return torch.rand(len(DOMAIN), CHANNELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def centres(number: int = 3) -> Tensor:
    return torch.rand(number, CHANNELS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def slow_distance(sample: Tensor, centre: Tensor, channels: str) -> float:
    total = sum((a - b) ** 2 for a, b in zip(sample.tolist(), centre.tolist(), strict=True))
    return total / len(sample) if channels == "mean" else total


def slow_mean_distance(samples: list[Tensor], centre: Tensor, channels: str) -> float:
    return sum(slow_distance(sample, centre, channels) for sample in samples) / len(samples)


@pytest.mark.parametrize("channels", ["mean", "sum"])
def test_inter_domain_compatible_equals_the_loops(channels: str) -> None:
    of, centre = features(), centres()
    expected = 0.0
    for k in range(3):
        samples = [of[i] for i in range(len(DOMAIN)) if DOMAIN[i] == k]
        inter = sum(slow_mean_distance(samples, centre[m], channels) for m in range(3) if m != k) / 2  # eq. 7
        intra = slow_mean_distance(samples, centre[k], channels)  # eq. 6
        others = torch.stack([centre[m] for m in range(3) if m != k])
        assert intra_domain_distance(torch.stack(samples), centre[k], channels).item() == pytest.approx(intra)
        assert inter_domain_distance(torch.stack(samples), others, channels).item() == pytest.approx(inter)
        expected += inter - intra  # eq. 8
    assert inter_domain_compatible(of, DOMAIN, centre, channels).item() == pytest.approx(expected)


def test_only_domains_with_samples_count_but_all_centres_do() -> None:
    of, centre = features()[:2], centres()
    expected = sum(slow_mean_distance(list(of), centre[m], "mean") for m in (1, 2)) / 2 - slow_mean_distance(
        list(of), centre[0], "mean"
    )
    assert inter_domain_compatible(of, DOMAIN[:2], centre).item() == pytest.approx(expected)


@pytest.mark.parametrize("channels", ["mean", "sum"])
def test_inter_class_separable_equals_the_loops(channels: str) -> None:
    of, (live_centre, spoof_centre) = features(), centres(2)
    live = [of[i] for i in range(len(LIVE)) if LIVE[i] == 1]
    spoof = [of[i] for i in range(len(LIVE)) if LIVE[i] == 0]
    expected = (
        slow_mean_distance(live, live_centre, channels)  # D_rr, eq. 9
        - slow_mean_distance(live, spoof_centre, channels)  # D_rf, eq. 10
        - slow_mean_distance(spoof, live_centre, channels)  # D_fr
    )
    assert inter_class_separable(of, LIVE, live_centre, spoof_centre, channels).item() == pytest.approx(expected)


def step_down(loss: Tensor, of: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(loss, of)
    return (of - 0.1 * slope).detach()


@pytest.mark.parametrize("n_domains", [2, 3, 5])
def test_a_step_brings_samples_nearer_to_other_domains_and_away_from_their_own(n_domains: int) -> None:
    domain = torch.arange(n_domains).repeat_interleave(2)
    of = torch.rand(len(domain), CHANNELS, generator=torch.Generator().manual_seed(2), requires_grad=True)
    centre = torch.stack([of[domain == k].mean(dim=0) for k in range(n_domains)]).detach()
    after = step_down(inter_domain_compatible(of, domain, centre), of)
    for k in range(n_domains):
        others = centre[torch.arange(n_domains) != k]
        mine = domain == k
        assert inter_domain_distance(after[mine], others) < inter_domain_distance(of[mine], others)
        assert intra_domain_distance(after[mine], centre[k]) > intra_domain_distance(of[mine], centre[k])


def test_a_step_gathers_live_samples_and_separates_the_classes() -> None:
    of, (live_centre, spoof_centre) = features().requires_grad_(), centres(2)
    after = step_down(inter_class_separable(of, LIVE, live_centre, spoof_centre), of)
    live, spoof = LIVE == 1, LIVE == 0

    def change(mask: Tensor, centre: Tensor) -> float:
        return (squared_distance(after[mask], centre).mean() - squared_distance(of[mask], centre).mean()).item()

    assert change(live, live_centre) - change(live, spoof_centre) < 0
    assert change(spoof, live_centre) > 0


def test_the_inter_domain_loss_has_no_lower_bound() -> None:
    """Its squares cancel: it is linear along a line through the centres (the reason for its small weight)."""
    of, centre = features()[:1], centres(2)
    direction = centre[1] - centre[0]
    values = [inter_domain_compatible(of + step * direction, DOMAIN[:1], centre).item() for step in (0.0, 10.0, 20.0)]
    assert values[2] < values[1] < values[0]
    assert values[1] - values[0] == pytest.approx(values[2] - values[1])


def test_one_centre_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least two domains"):
        inter_domain_compatible(features()[:2], DOMAIN[:2], centres(1))
