"""PDL-FAS's update against its equations written out, and against finite differences."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from method_checks import assert_resumes_identically, assert_same_gradients, build, gradient_error, make_batch, step
from torch import Tensor

from dgfas.core.errors import UserError
from dgfas.core.seeding import stable_rng
from dgfas.data.batches import Batch
from dgfas.domains.registry import make_provider
from dgfas.methods.pdl_fas import PDLFAS
from dgfas.methods.registry import preset_domains, preset_values

#: Large, so that the second-order term is a large part of the gradient.
INNER_STEP = 0.1
ITERATION = 3


def make(n_domains: int = 3, preset: str = "default", bn_batches: str = "per_domain", **options: Any) -> PDLFAS:
    """A small PDL-FAS in float64 with a large inner step, at some iteration."""
    method = build("pdl_fas", preset, n_domains, bn_batches=bn_batches, **{"inner_step_size": INNER_STEP, **options})
    assert isinstance(method, PDLFAS)
    method.iteration = ITERATION
    return method.double()


def losses(method: PDLFAS, batch: Batch) -> Tensor:
    return torch.stack(method.losses(batch)).sum()


def cross_entropy(logits: Tensor, live: Tensor) -> Tensor:
    """Eq. 4 and 6."""
    total = torch.zeros((), dtype=torch.float64)
    for logit, y in zip(logits, live, strict=True):
        p = 1 / (1 + torch.exp(-logit))
        total = total - (y * torch.log(p) + (1 - y) * torch.log(1 - p))
    return total / len(live)


def depth_error(predicted: Tensor, batch: Batch) -> Tensor:
    """Eq. 5 and 7, as a mean over pixels and frames."""
    total = torch.zeros((), dtype=torch.float64)
    for ours, truth in zip(predicted, batch.depth, strict=True):
        total = total + (ours - truth).square().sum() / truth.numel()
    return total / len(batch.live)


def slow_loss(method: PDLFAS, batch: Batch) -> Tensor:
    """The sum whose gradients are eq. 8 and 9."""
    parts, options, learner = batch.by_domain(), method.options, method.meta_learner
    if method.setup.bn_batches == "mixed":
        features = method.encoder(batch.images).chunk(len(parts))
    else:
        features = [method.encoder(part.images) for part in parts]
    order = [int(k) for k in stable_rng(0, "meta split", ITERATION).permutation(len(parts))]
    test = order.pop()
    total = options.depth_weight * depth_error(method.depth(features[test].concat), parts[test])
    for k in order:
        inner = cross_entropy(learner(features[k].last), parts[k].live)
        slopes = torch.autograd.grad(inner, list(learner.parameters()), create_graph=True)
        adapted = {
            name: p - options.inner_step_size * (slope if options.order == "second" else slope.detach())
            for (name, p), slope in zip(learner.named_parameters(), slopes, strict=True)
        }
        logits = torch.func.functional_call(learner, adapted, (features[test].last,))
        total = total + inner + options.depth_weight * depth_error(method.depth(features[k].concat), parts[k])
        total = total + cross_entropy(logits, parts[test].live)
    return total


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {"preset": "paper"},
    "two domains": {"n_domains": 2},
    "five domains": {"n_domains": 5},
    "mixed batches": {"bn_batches": "mixed"},
    "first order": {"order": "first"},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_one_step_equals_the_slow_recomputation(variant: dict[str, Any]) -> None:
    method, batch = make(**variant), make_batch(variant.get("n_domains", 3), dtype=torch.float64)
    twin = copy.deepcopy(method)
    ours, slow = losses(method, batch), slow_loss(twin, batch)
    assert ours.item() == pytest.approx(slow.item(), rel=1e-10)
    assert_same_gradients(method, ours, twin, slow)


@pytest.mark.parametrize("part", ["encoder", "meta_learner", "depth"])
def test_gradients_equal_finite_differences_and_first_order_ones_do_not(part: str) -> None:
    """Eq. 3's dot product of gradients is what the first order lacks."""
    batch = make_batch(dtype=torch.float64)
    error = {}
    for order in ("second", "first"):
        method = make(order=order)
        module = getattr(method, part)
        error[order] = gradient_error(lambda method=method: losses(method, batch), module.parameters())
    assert error["second"] < 1e-5
    if part == "depth":  # which has no part in the inner step
        assert error["first"] < 1e-5
    else:
        assert error["first"] > 1e-2


def test_the_taylor_expansion_holds_for_a_small_inner_step() -> None:
    """Eq. 2 and 3: G(theta - alpha F') = G(theta) - alpha G' . F' up to alpha squared."""
    method, batch = make(n_domains=2), make_batch(2, dtype=torch.float64)
    parts = batch.by_domain()
    train, test = (method.encoder(part.images).last.detach() for part in parts)
    learner, parameters = method.meta_learner, list(method.meta_learner.parameters())

    def at(step_size: float) -> float:
        slopes = torch.autograd.grad(cross_entropy(learner(train), parts[0].live), parameters)
        moved = {name: p - step_size * s for (name, p), s in zip(learner.named_parameters(), slopes, strict=True)}
        return cross_entropy(torch.func.functional_call(learner, moved, (test,)), parts[1].live).item()

    inner = torch.autograd.grad(cross_entropy(learner(train), parts[0].live), parameters)
    outer = torch.autograd.grad(cross_entropy(learner(test), parts[1].live), parameters)
    product = sum((f * g).sum().item() for f, g in zip(inner, outer, strict=True))
    step_size = 1e-6
    assert (at(0) - at(step_size)) / step_size == pytest.approx(product, rel=1e-3)


def test_every_domain_comes_to_be_the_meta_test_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    method, batch = make(), make_batch(3, dtype=torch.float64)
    seen: list[int] = []
    monkeypatch.setattr(
        PDLFAS, "depth_loss", lambda self, features, part: seen.append(int(part.domain[0])) or torch.zeros(())
    )
    tests = set()
    for iteration in range(16):
        method.iteration = iteration
        seen.clear()
        method.losses(batch)
        assert sorted(seen) == [0, 1, 2]
        tests.add(seen[0])
    assert tests == {0, 1, 2}


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("preset", ["default", "paper"])
def test_works_with_any_number_of_domains(n_domains: int, preset: str) -> None:
    logged = step(build("pdl_fas", preset, n_domains), make_batch(n_domains), 0)
    assert logged.keys() == {"meta_train_loss", "meta_test_loss"}
    assert all(math.isfinite(value) for value in logged.values())


def test_one_domain_is_too_few() -> None:
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("pdl_fas", n_domains=1)


def test_a_resumed_run_is_the_same_to_the_bit() -> None:
    assert_resumes_identically(lambda: build("pdl_fas"), iterations=4, stop_at=2)


def test_the_score_is_the_probability_of_live() -> None:
    method, images = make().eval(), make_batch(dtype=torch.float64).images
    with torch.no_grad():
        logits = method.meta_learner(method.encoder(images).last).tolist()
        assert method.score(images).tolist() == pytest.approx([1 / (1 + math.exp(-x)) for x in logits])


def test_presets_differ_where_the_card_says() -> None:
    default, paper = (preset_values("pdl_fas", name) for name in ("default", "paper"))
    assert {key: value for key, value in paper.items() if value != default[key]} == {"depth_weight": 1.0}
    domains = preset_domains("pdl_fas", "paper")
    assert make_provider(domains | {"k": 7}, None, seed=0).n_domains == 7
