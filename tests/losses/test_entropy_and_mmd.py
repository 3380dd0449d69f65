"""D2AM's entropy (eq. 7) and MMD (eq. 9): by loops, and which way they pull."""

import math

import pytest
import torch

from dgfas.losses.entropy import domain_enhancement_entropy
from dgfas.losses.mmd import squared_mmd


@pytest.mark.parametrize("form", ["binary", "literal"])
def test_entropy_by_loops(form: str) -> None:
    logits = [-2.0, 0.3, 1.7]
    total = 0.0
    for logit in logits:
        p = 1 / (1 + math.exp(-logit))
        total += p * math.log(p) + ((1 - p) * math.log(1 - p) if form == "binary" else 0)
    loss = domain_enhancement_entropy(torch.tensor(logits, dtype=torch.float64), form)
    assert loss.item() == pytest.approx(total / 3)


def test_entropy_is_finite_where_the_probability_is_0_or_1() -> None:
    logit = torch.tensor([-1000.0, 1000.0], requires_grad=True)
    loss = domain_enhancement_entropy(logit)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logit.grad).all()


@pytest.mark.parametrize(("form", "goal"), [("binary", 0.5), ("literal", math.exp(-1))])
def test_entropy_drives_the_probability_to_its_minimum(form: str, goal: float) -> None:
    logit = torch.tensor([-3.0, -0.5, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    descent = torch.optim.SGD([logit], lr=2.0)
    for _ in range(500):
        descent.zero_grad()
        domain_enhancement_entropy(logit, form).backward()
        descent.step()
    assert logit.sigmoid().tolist() == pytest.approx([goal] * 4, abs=1e-3)


@pytest.mark.parametrize("given", [None, 3.0])
def test_mmd_by_loops(given: float | None) -> None:
    a = torch.tensor([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], dtype=torch.float64)
    b = torch.tensor([[1.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    points = a.tolist() + b.tolist()

    def squared(x: list[float], y: list[float]) -> float:
        return sum((i - j) ** 2 for i, j in zip(x, y, strict=True))

    scale = given or sum(squared(x, y) for x in points for y in points) / (5 * 4)

    def kernel(x: list[float], y: list[float]) -> float:
        return sum(math.exp(-squared(x, y) / (scale * 2.0**power)) for power in (-2, -1, 0, 1, 2))

    def mean(xs: list[list[float]], ys: list[list[float]]) -> float:
        return sum(kernel(x, y) for x in xs for y in ys) / (len(xs) * len(ys))

    by_loops = mean(a.tolist(), a.tolist()) + mean(b.tolist(), b.tolist()) - 2 * mean(a.tolist(), b.tolist())
    assert squared_mmd(a, b, given).item() == pytest.approx(by_loops)


def test_mmd_is_0_for_equal_samples_symmetric_and_never_negative() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        a, b = torch.randn(2, 6, 3, generator=generator, dtype=torch.float64)
        assert squared_mmd(a, a.flip(0)).item() == pytest.approx(0, abs=1e-12)
        assert squared_mmd(a, b).item() == pytest.approx(squared_mmd(b, a).item())
        assert squared_mmd(a, b) > 0


def test_mmd_treats_its_bandwidth_as_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    a.requires_grad_()
    (ours,) = torch.autograd.grad(squared_mmd(a, b), a)
    joint = torch.cat([a.detach(), b])
    held = (joint[:, None] - joint[None]).square().sum() / (10 * 9)
    monkeypatch.setattr("dgfas.losses.mmd.mean_squared_distance", lambda squared: held)
    assert torch.autograd.gradcheck(lambda x: squared_mmd(x, b), a)
    torch.testing.assert_close(torch.autograd.grad(squared_mmd(a, b), a)[0], ours)


def test_mmd_pulls_an_outlier_towards_the_prior() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    features[0] = 4.0
    features.requires_grad_()
    descent = torch.optim.SGD([features], lr=30.0)
    for _ in range(200):
        descent.zero_grad()
        prior = torch.randn(20, 4, generator=generator, dtype=torch.float64)
        squared_mmd(features, prior).backward()
        descent.step()
    assert features[0].norm() < 4.0, "it began at 8"
    assert features[1:].norm(dim=1).max() < 5.0


def test_mmd_of_coinciding_points_has_finite_gradients() -> None:
    a = torch.zeros(3, 2, requires_grad=True)
    squared_mmd(a, torch.zeros(3, 2)).backward()
    assert torch.isfinite(a.grad).all()
