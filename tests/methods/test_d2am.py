"""D2AM's update against a slow re-computation of Algorithm 1 and against finite differences; its ablations."""

from __future__ import annotations

import copy
import logging
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
from dgfas.methods.d2am import D2AM
from dgfas.methods.registry import preset_domains, preset_values

#: Large, so that the second-order term is a large part of the gradient.
INNER_STEP = 0.1
ITERATION = 3


def make(n_domains: int = 3, preset: str = "default", bn_batches: str = "per_domain", **options: Any) -> D2AM:
    """A small D2AM in float64 with a large inner step, at some iteration."""
    method = build("d2am", preset, n_domains, bn_batches=bn_batches, **{"inner_step_size": INNER_STEP, **options})
    assert isinstance(method, D2AM)
    method.iteration = ITERATION
    return method.double()


def losses(method: D2AM, batch: Batch) -> Tensor:
    meta_train, meta_test = method.losses(method.encoded(batch))
    return meta_train + meta_test


# The slow re-computation: Algorithm 1, lines 10 to 16, sample by sample.


def cross_entropy(logits: Tensor, live: Tensor) -> Tensor:
    """Eq. 8."""
    total = torch.zeros((), dtype=torch.float64)
    for logit, y in zip(logits, live, strict=True):
        p = 1 / (1 + torch.exp(-logit))
        total = total - (torch.log(p) if y == 1 else torch.log(1 - p))
    return total / len(live)


def discrepancy(h_s: Tensor, h_t: Tensor) -> Tensor:
    """Eq. 9."""
    joint = [*h_s, *h_t]
    squared = [[(x - y).square().sum() for y in joint] for x in joint]
    n = len(joint)
    scale = sum(value.item() for row in squared for value in row) / (n * n - n)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(n):
        for j in range(n):
            kernel = sum(torch.exp(-squared[i][j] / (scale * h)) for h in (0.25, 0.5, 1, 2, 4))
            total = total + kernel * (1 if (i < n // 2) == (j < n // 2) else -1)
    return total / (n // 2) ** 2


def depth_error(predicted: Tensor, batch: Batch) -> Tensor:
    """Eq. 10, as a mean."""
    errors = [(predicted[k] - batch.depth[k]).square().mean() for k in range(len(batch.live))]
    return sum(errors, torch.zeros((), dtype=torch.float64)) / len(errors)


def encode(method: D2AM, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The stages with eq. 4 to 6 between them: last features, all features, and P(F-) of each DRLM."""
    x = method.encoder.stem(images)
    outputs, probabilities = [], []
    for stage, drlm in zip(method.encoder.stages, method.drlms, strict=True):
        f = stage(x)
        pooled = f.mean(dim=(2, 3))
        a = 1 / (1 + torch.exp(-(pooled @ drlm.squeeze.weight.T).clamp(min=0) @ drlm.excite.weight.T))
        f_minus = (1 - a)[:, :, None, None] * f
        probabilities.append(1 / (1 + torch.exp(-f_minus.mean(dim=(2, 3)) @ drlm.probe.weight[0])))
        x = a[:, :, None, None] * f
        outputs.append(x)
    side = x.shape[-1]
    pooled_outputs = [torch.nn.functional.avg_pool2d(o, o.shape[-1] // side) for o in outputs]
    return x, torch.cat(pooled_outputs, dim=1), probabilities


def slow_loss(method: D2AM, batch: Batch) -> Tensor:
    options = method.options
    parts = batch.by_domain()
    if method.setup.bn_batches == "mixed":
        last, everything, probabilities = encode(method, batch.images)
        n = len(parts)
        encoded = list(
            zip(last.chunk(n), everything.chunk(n), zip(*(p.chunk(n) for p in probabilities), strict=True), strict=True)
        )
    else:
        encoded = [encode(method, part.images) for part in parts]
    order = [int(k) for k in stable_rng(0, "meta split", ITERATION).permutation(len(parts))]
    test = order.pop()
    learner = method.meta_learner
    total = options.depth_weight * depth_error(method.depth(encoded[test][1]), parts[test])
    for k in order:
        last, everything, probabilities = encoded[k]

        def learn(model: Any, features: Tensor, batch: Batch, purpose: str) -> Tensor:
            logit, h = model(features)
            draws = stable_rng(0, f"prior, {purpose}", ITERATION).standard_normal(tuple(h.shape))
            mmd = discrepancy(h, torch.from_numpy(draws))
            return cross_entropy(logit, batch.live) + options.mmd_weight * mmd

        inner = learn(learner, last, parts[k], f"meta-train {k}")
        slopes = torch.autograd.grad(inner, list(learner.parameters()), create_graph=True)
        adapted = {
            name: p - options.inner_step_size * (slope if options.order == "second" else slope.detach())
            for (name, p), slope in zip(learner.named_parameters(), slopes, strict=True)
        }
        total = total + inner + options.depth_weight * depth_error(method.depth(everything), parts[k])
        for p in probabilities:
            entropy = p * torch.log(p)
            if options.entropy == "binary":
                entropy = entropy + (1 - p) * torch.log(1 - p)
            total = total + options.entropy_weight * entropy.mean()

        def adapted_learner(features: Tensor, parameters: dict[str, Tensor] = adapted) -> Any:
            return torch.func.functional_call(learner, parameters, (features,))

        total = total + learn(adapted_learner, encoded[test][0], parts[test], f"meta-test {k}")
    return total


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {"preset": "paper"},
    "two domains": {"n_domains": 2},
    "five domains": {"n_domains": 5},
    "mixed batches": {"bn_batches": "mixed"},
    "first order": {"order": "first"},
    "without L_p": {"entropy_weight": 0.0},
    "without L_MMD": {"mmd_weight": 0.0},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_one_step_equals_the_slow_recomputation(variant: dict[str, Any]) -> None:
    method, batch = make(**variant), make_batch(variant.get("n_domains", 3), dtype=torch.float64)
    twin = copy.deepcopy(method)
    ours, slow = losses(method, batch), slow_loss(twin, batch)
    assert ours.item() == pytest.approx(slow.item(), rel=1e-10)
    assert_same_gradients(method, ours, twin, slow)


@pytest.mark.parametrize("left_out", ["mmd_weight", "entropy_weight", "depth_weight"])
def test_every_term_counts(left_out: str) -> None:
    batch = make_batch(dtype=torch.float64)
    assert losses(make(**{left_out: 0.0}), batch).item() != pytest.approx(losses(make(), batch).item(), rel=1e-4)


@pytest.mark.parametrize("part", ["encoder", "meta_learner", "depth"])
def test_gradients_equal_finite_differences_and_first_order_ones_do_not(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eq. 11, 12 and 13. The bandwidth of the MMD is a constant of the gradient, so it is held here."""
    held = torch.tensor(20.0, dtype=torch.float64)
    monkeypatch.setattr("dgfas.losses.mmd.mean_squared_distance", lambda squared: held)
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


def test_each_loss_reaches_the_networks_of_its_equation() -> None:
    """Eq. 13: depth alone trains D. Eq. 11: neither depth nor entropy trains M. Eq. 12: everything trains E."""
    batch = make_batch(dtype=torch.float64)
    method = make()
    domain = method.encoded(batch)[0]

    def reached(loss: Tensor) -> set[str]:
        names = [name for name, _ in method.named_parameters()]
        gradients = torch.autograd.grad(loss, list(method.parameters()), allow_unused=True, retain_graph=True)
        return {
            name.split(".")[0] + ("/drlm" if "after_stage" in name else "")
            for name, gradient in zip(names, gradients, strict=True)
            if gradient is not None
        }

    assert reached(method.depth_loss(domain)) == {"encoder", "encoder/drlm", "depth"}
    assert reached(method.entropy_loss(domain)) == {"encoder", "encoder/drlm"}
    answer = method.meta_learner(domain.features.last)
    assert reached(method.learner_loss(answer, domain.batch, "x")) == {"encoder", "encoder/drlm", "meta_learner"}


def test_the_prior_is_drawn_anew_for_each_domain_and_iteration() -> None:
    method = make()
    answer, batch = method.meta_learner(method.encoded(make_batch(dtype=torch.float64))[0].features.last), make_batch()
    values = []
    for iteration, purpose in ((0, "meta-train 0"), (0, "meta-train 1"), (1, "meta-train 0"), (0, "meta-train 0")):
        method.iteration = iteration
        values.append(method.learner_loss(answer, batch[slice(0, 4)], purpose).item())
    assert len(set(values)) == 3
    assert values[0] == values[3]


def test_a_detached_probe_learns_by_cross_entropy_and_features_by_entropy() -> None:
    batch = make_batch(dtype=torch.float64)
    method = make(probe="detached", entropy_weight=0.1)
    domain = method.encoded(batch)[0]
    drlm, features = method.drlms[2], domain.stages[2]
    loss = method.entropy_loss(domain)
    by_probe, by_squeeze = torch.autograd.grad(loss, [drlm.probe.weight, drlm.squeeze.weight], retain_graph=True)

    pooled = drlm.pooled_domain_features(features)
    (expected,) = torch.autograd.grad(
        cross_entropy(pooled.detach() @ drlm.probe.weight[0], domain.batch.live), drlm.probe.weight
    )
    torch.testing.assert_close(by_probe, expected)
    p = torch.sigmoid(pooled @ drlm.probe.weight[0].detach())
    entropy = (p * p.log() + (1 - p) * (1 - p).log()).mean()
    (expected,) = torch.autograd.grad(0.1 * entropy, drlm.squeeze.weight)
    torch.testing.assert_close(by_squeeze, expected)


@pytest.mark.slow
@pytest.mark.parametrize("probe", ["joint", "detached"])
def test_training_makes_the_domain_features_undecided(probe: str) -> None:
    method, batch = build("d2am", n_domains=2, probe=probe, entropy_weight=10.0, learning_rate=3e-3), make_batch(2)
    logs = [step(method, batch, iteration) for iteration in range(20)]
    for j in (1, 2, 3):
        name = f"drlm{j}/probability_from_half"
        assert logs[-1][name] < 0.5 * max(log[name] for log in logs[:5]), name


def test_every_domain_comes_to_be_the_meta_test_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    method, batch = make(), make_batch(dtype=torch.float64)
    trained: list[int] = []
    monkeypatch.setattr(
        D2AM, "entropy_loss", lambda self, domain: trained.append(int(domain.batch.domain[0])) or torch.zeros(())
    )
    domains, tests = method.encoded(batch), set()
    for iteration in range(30):
        method.iteration = iteration
        trained.clear()
        method.losses(domains)
        assert len(set(trained)) == 2
        tests |= {0, 1, 2} - set(trained)
    assert tests == {0, 1, 2}


def test_task_features_flow_on() -> None:
    method, images = make(), make_batch(dtype=torch.float64).images
    with torch.no_grad():
        last, everything, _ = encode(method, images)
        features = method.encoder(images)
        torch.testing.assert_close(features.last, last)
        torch.testing.assert_close(features.concat, everything)


def test_the_score_is_the_probability_of_live() -> None:
    method, images = make().eval(), make_batch(dtype=torch.float64).images
    with torch.no_grad():
        logits = method.meta_learner(method.encoder(images).last).logit.tolist()
        assert method.score(images).tolist() == pytest.approx([1 / (1 + math.exp(-x)) for x in logits])


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("preset", ["default", "paper"])
def test_works_with_any_number_of_domains(n_domains: int, preset: str) -> None:
    logged = step(build("d2am", preset, n_domains), make_batch(n_domains), 0)
    assert len(logged) == 2 + 3 * 4
    assert all(math.isfinite(value) for value in logged.values())


def test_one_domain_is_too_few() -> None:
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("d2am", n_domains=1)


def test_a_resumed_run_is_the_same_to_the_bit() -> None:
    assert_resumes_identically(lambda: build("d2am"), iterations=4, stop_at=2)


def test_a_collapse_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    method, batch = build("d2am"), make_batch()
    step(method, batch, 0)
    assert caplog.records == []
    with torch.no_grad():
        method.drlms[0].probe.weight.mul_(1e-4)
        method.drlms[2].excite.weight.abs_().mul_(1e3)
        method.drlms[2].squeeze.weight.abs_()
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        for iteration in (1, 2):
            logged = step(method, batch, iteration)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "probe of DRLM 1 is nearly 0" in messages[0]
    assert "attention of DRLM 3 is nearly 1" in messages[1]
    assert logged["drlm3/attention_complement"] < 0.02
    assert logged["drlm1/probe_norm"] < 0.05


def test_presets_differ_where_the_card_says() -> None:
    default, paper = (preset_values("d2am", name) for name in ("default", "paper"))
    assert {key: value for key, value in paper.items() if value != default[key]} == {
        "learning_rate": 1e-4,
        "depth_weight": 1.0,
        "entropy": "literal",
    }
    default, paper = (preset_domains("d2am", name) for name in ("default", "paper"))
    assert {key: value for key, value in paper.items() if value != default[key]} == {"per_sample": True}
    assert make_provider(default, None, seed=0).n_domains == 3
