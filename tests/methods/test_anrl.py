"""ANRL's update against a slow re-computation of Algorithm 1 and against finite differences."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.core.seeding import stable_rng
from dgfas.data.batches import Batch
from dgfas.methods.anrl import ANRL
from dgfas.methods.base import Setup
from dgfas.methods.registry import method_options, preset_values

SEED, ITERATION = 5, 3
#: Large steps and weights, so that every term is a visible part of the gradient.
VISIBLE = {"inner_step_size": 0.5, "idc_weight": 0.3, "ics_weight": 0.2}

Parameters = dict[str, Tensor]


@pytest.fixture
def make_anrl() -> Iterator[Callable[..., ANRL]]:
    """Return a maker of a small ANRL in float64."""
    torch.set_default_dtype(torch.float64)

    def make(
        n_domains: int = 3, bn_batches: str = "per_domain", preset: str = "default", width: float = 0.125,
        network: dict[str, Any] | None = None, **options: Any,
    ) -> ANRL:  # fmt: skip
        torch.manual_seed(0)
        config = NetworkConfig(**{"image_size": 32, "width": width, "stem_stride": 2} | (network or {}))
        values = preset_values("anrl", preset) | options
        anrl = ANRL(method_options("anrl", values), Setup(config, n_domains, 100, bn_batches, SEED))
        for name, parameter in anrl.encoder.named_parameters():  # away from alpha = .5, where W has no gradient
            if "_head" in name:
                parameter.data = torch.randn_like(parameter) * 0.3
        anrl.iteration = ITERATION
        return anrl

    yield make
    torch.set_default_dtype(torch.float32)


def recorded_steps(anrl: ANRL) -> list[tuple[str, Parameters, Parameters]]:
    """Return a list that takes up, at each optimiser step, its name and all parameters and gradients before it."""
    steps: list[tuple[str, Parameters, Parameters]] = []

    def hook_for(name: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            gradients = {path: p.grad.clone() for path, p in anrl.named_parameters() if p.grad is not None}
            steps.append((name, {path: p.detach().clone() for path, p in anrl.named_parameters()}, gradients))

        return hook

    for name, optimiser in anrl.optimisers.items():
        optimiser.register_step_pre_hook(hook_for(name))
    return steps


# The slow re-computation: parameters in a plain dict, normalisations and losses written out.


def affine(x: Tensor, p: Parameters, name: str) -> Tensor:
    return x * p[f"{name}.weight"].view(1, -1, 1, 1) + p[f"{name}.bias"].view(1, -1, 1, 1)


def standardised(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    mean = x.mean(dim=dims, keepdim=True)
    return (x - mean) / ((x - mean).square().mean(dim=dims, keepdim=True) + 1e-5).sqrt()


def batch_norm(x: Tensor, p: Parameters, name: str) -> Tensor:
    return affine(standardised(x, (0, 2, 3)), p, name)


def afnm(x: Tensor, p: Parameters, name: str) -> Tensor:
    pooled = x.mean(dim=(2, 3))
    if f"{name}.balance.squeeze" in p:
        compact = F.linear(pooled, p[f"{name}.balance.squeeze"]).clamp(min=0)
        b = 1 / (1 + torch.exp(-F.linear(compact, p[f"{name}.balance.batch_head"])))
        i = 1 / (1 + torch.exp(-F.linear(compact, p[f"{name}.balance.instance_head"])))
        alpha = b / (b + i)
    else:
        alpha = 1 / (1 + torch.exp(-F.linear(pooled, p[f"{name}.balance.weight"], p[f"{name}.balance.bias"])))
    alpha = alpha[:, :, None, None]
    instance = affine(standardised(x, (2, 3)), p, f"{name}.instance")
    return alpha * batch_norm(x, p, f"{name}.batch") + (1 - alpha) * instance


def encode(images: Tensor, p: Parameters) -> tuple[Tensor, Tensor]:
    def block(x: Tensor, name: str, stride: int = 1) -> Tensor:
        x = F.conv2d(x, p[f"{name}.0.weight"], p[f"{name}.0.bias"], stride, padding=1)
        norm = afnm if any(key.startswith(f"{name}.1.balance") for key in p) else batch_norm
        return norm(x, p, f"{name}.1").clamp(min=0)

    x = block(images, "encoder.stem", 2)
    outputs = []
    for stage in range(3):
        for position in range(3):
            x = block(x, f"encoder.stages.{stage}.{position}")
        x = F.max_pool2d(x, 2) if stage < 2 else x
        outputs.append(x)
    return x, torch.cat([F.avg_pool2d(outputs[0], 2), outputs[1], outputs[2]], dim=1)


def head_block(x: Tensor, p: Parameters, name: str) -> Tensor:
    x = F.conv2d(x, p[f"{name}.0.weight"], p[f"{name}.0.bias"], padding=1)
    return batch_norm(x, p, f"{name}.1").clamp(min=0)


def classification_loss(features: Tensor, live: Tensor, p: Parameters) -> Tensor:
    """Eq. 13, both classes, a mean."""
    x = F.max_pool2d(head_block(features, p, "classifier.body.0"), 2)
    x = F.max_pool2d(head_block(x, p, "classifier.body.2"), 2)
    x = head_block(x, p, "classifier.body.4").mean(dim=(2, 3))
    probabilities = torch.sigmoid(F.linear(x, p["classifier.output.weight"], p["classifier.output.bias"])[:, 0])
    total = torch.zeros(())
    for probability, y in zip(probabilities, live, strict=True):
        total = total - torch.log(probability if y == 1 else 1 - probability)
    return total / len(live)


def depth_loss(features: Tensor, part: Batch, p: Parameters) -> Tensor:
    """Eq. 12, a mean over pixels and known frames."""
    for position in range(3):
        features = head_block(features, p, f"depth.body.{position}")
    errors = [(features[i] - part.depth[i]).square().mean() for i in range(len(part.live)) if part.depth_known[i]]
    return sum(errors, torch.zeros(())) / len(errors)


def base_loss(anrl: ANRL, features: tuple[Tensor, Tensor], part: Batch, p: Parameters) -> Tensor:
    """Eq. 14 for one domain."""
    seen = features[1] if anrl.options.classifier_input == "concat" else features[0]
    return classification_loss(seen, part.live, p) + anrl.options.depth_weight * depth_loss(features[1], part, p)


def distance(samples: list[Tensor], centre: Tensor, anrl: ANRL) -> Tensor:
    """Eq. 6, 7, 9 or 10: the mean over samples."""
    total = torch.zeros(())
    for sample in samples:
        squares = (sample - centre.detach()).square()
        total = total + (squares.sum() if anrl.options.distance == "sum" else squares.mean())
    return total / len(samples)


def calibration(anrl: ANRL, pooled: Tensor, k: int, live: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. 8 and 11 for the samples of domain k; `centres` (domain, class, channel)."""
    n_domains = len(centres)
    of_live = [sample for sample, y in zip(pooled, live, strict=True) if y == 1]
    of_spoof = [sample for sample, y in zip(pooled, live, strict=True) if y == 0]
    if anrl.options.centres == "per_domain":
        samples, domain_centres = of_live, [centres[m, 0] for m in range(n_domains)]
        live_centre, spoof_centre = centres[k, 0], centres[k, 1]
    else:
        samples = of_live + of_spoof
        domain_centres = [(centres[m, 0] + centres[m, 1]) / 2 for m in range(n_domains)]
        live_centre = sum(centres[m, 0] for m in range(n_domains)) / n_domains
        spoof_centre = sum(centres[m, 1] for m in range(n_domains)) / n_domains
    others = [m for m in range(n_domains) if m != k]
    inter = sum((distance(samples, domain_centres[m], anrl) for m in others), torch.zeros(())) / (n_domains - 1)
    idc = inter - distance(samples, domain_centres[k], anrl)
    ics = (
        distance(of_live, live_centre, anrl)
        - distance(of_live, spoof_centre, anrl)
        - distance(of_spoof, live_centre, anrl)
    )
    return idc, ics


class SlowCentres:
    """The moving centres, with the bookkeeping of the first batch."""

    def __init__(self, anrl: ANRL) -> None:
        self.values = anrl.centres.values.clone()
        self.started = bool(anrl.centres.started)
        self.momentum = anrl.options.centre_momentum

    def follow(self, pooled: dict[int, Tensor], live: Tensor) -> None:
        means = {k: torch.stack([x[live == 1].mean(0), x[live == 0].mean(0)]).detach() for k, x in pooled.items()}
        for k in range(len(self.values)):
            if not self.started:
                self.values[k] = means[k] if k in means else sum(means.values()) / len(means)
            elif k in means:
                self.values[k] = self.momentum * self.values[k] + (1 - self.momentum) * means[k]
        self.started = True


def slow_meta_loss(anrl: ANRL, batch: Batch, p: Parameters, centres: SlowCentres) -> Tensor:
    """The sum that eq. 18 differentiates."""
    options, parts = anrl.options, batch.by_domain()
    order = [int(k) for k in stable_rng(SEED, "meta split", ITERATION).permutation(batch.n_domains)]
    live = parts[0].live

    def total(domains: list[int], features: dict[int, tuple[Tensor, Tensor]], p: Parameters) -> Tensor:
        pooled = {k: features[k][1].mean(dim=(2, 3)) for k in domains}
        if options.idc_weight or options.ics_weight:
            centres.follow(pooled, live)
        loss = torch.zeros(())
        for k in domains:
            idc, ics = calibration(anrl, pooled[k], k, live, centres.values)
            loss = (
                loss + base_loss(anrl, features[k], parts[k], p) + options.idc_weight * idc + options.ics_weight * ics
            )
        return loss

    train, test = order[:-1], order[-1]
    if anrl.setup.bn_batches == "mixed":
        last, concat = encode(torch.cat([parts[k].images for k in train]), p)
        size = len(live)
        features = {k: (last[i * size :][:size], concat[i * size :][:size]) for i, k in enumerate(train)}
    else:
        features = {k: encode(parts[k].images, p) for k in train}
    meta_train = total(train, features, p)  # eq. 15
    names = [f"encoder.{name}" for name in anrl.theta_f]
    slopes = torch.autograd.grad(meta_train, [p[name] for name in names], create_graph=True)
    adapted = dict(p)
    for name, slope in zip(names, slopes, strict=True):  # eq. 16
        start = p[name].detach() if options.fast_weights == "detached" else p[name]
        adapted[name] = start - options.inner_step_size * slope
    return meta_train + total([test], {test: encode(parts[test].images, adapted)}, adapted)  # eq. 17


def slow_base_loss(anrl: ANRL, batch: Batch, p: Parameters) -> Tensor:
    parts = batch.by_domain()
    if anrl.setup.bn_batches == "mixed":
        last, concat = encode(batch.images, p)
        features = list(zip(last.chunk(len(parts)), concat.chunk(len(parts)), strict=True))
    else:
        features = [encode(part.images, p) for part in parts]
    return sum((base_loss(anrl, f, part, p) for f, part in zip(features, parts, strict=True)), torch.zeros(()))


def gradients_of(loss: Tensor, p: Parameters, names: list[str]) -> Parameters:
    slopes = torch.autograd.grad(loss, [p[name] for name in names], allow_unused=True, materialize_grads=True)
    return dict(zip(names, slopes, strict=True))


def disagreeing(ours: Parameters, slow: Parameters) -> list[str]:
    """Name the gradients that differ; a convolution's bias before batch normalisation has a true gradient of 0."""
    return [name for name in slow if (ours[name] - slow[name]).norm() > 1e-8 * slow[name].norm() + 1e-10]


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "two domains": {"n_domains": 2},
    "five domains": {"n_domains": 5},
    "mixed batches": {"bn_batches": "mixed"},
    "summed distances": {"distance": "sum", "idc_weight": 0.03, "ics_weight": 0.02},
    "without idc": {"idc_weight": 0.0},
    "without ics": {"ics_weight": 0.0},
    "without calibration": {"idc_weight": 0.0, "ics_weight": 0.0},
    "batch normalisation": {"normalization": "batch"},
    "one layer": {"normalization": "afnm_1layer"},
    "paper": {"preset": "paper"},
    "released": {"preset": "released"},
    "released, two domains": {"preset": "released", "n_domains": 2},
    "no meta-learning": {"meta": False},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_one_update_equals_the_slow_recomputation(
    variant: dict[str, Any], make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl, batch = make_anrl(**VISIBLE | variant), make_batch(variant.get("n_domains", 3))
    steps, centres = recorded_steps(anrl), SlowCentres(anrl)
    theta_f = [f"encoder.{name}" for name in anrl.theta_f]
    base = [name for name, _ in anrl.named_parameters() if name not in theta_f]
    anrl.update(batch)

    single = {"all": base + theta_f}
    stepped = {"base": base, "afnm": theta_f} if {"base", "afnm"} == set(anrl.optimisers) else single
    assert [name for name, _, _ in steps] == list(stepped)
    for name, parameters, gradients in steps:
        p = {path: value.requires_grad_() for path, value in parameters.items()}
        normal = name == "base" or not anrl.options.meta
        loss = slow_base_loss(anrl, batch, p) if normal else slow_meta_loss(anrl, batch, p, centres)
        slow = gradients_of(loss, p, stepped[name])
        assert gradients.keys() == slow.keys(), "each step has the gradients of its own parameters alone"
        assert disagreeing(gradients, slow) == []
    torch.testing.assert_close(anrl.centres.values, centres.values)


@pytest.mark.parametrize(
    "change",
    [{"fast_weights": "detached"}, {"inner_step_size": 0.0}, {"idc_weight": 0.29}, {"ics_weight": 0.19},
     {"distance": "sum"}, {"centres": "per_domain"}, {"depth_weight": 9.0}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_the_recomputation_notices_every_option(
    change: dict[str, Any], make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl, batch = make_anrl(**VISIBLE), make_batch()
    steps, centres = recorded_steps(anrl), SlowCentres(anrl)
    anrl.update(batch)
    _, parameters, gradients = steps[1]
    other = make_anrl(**VISIBLE | change)
    p = {path: value.requires_grad_() for path, value in parameters.items()}
    slow = gradients_of(slow_meta_loss(other, batch, p, centres), p, [f"encoder.{name}" for name in anrl.theta_f])
    assert len(disagreeing(gradients, slow)) > 20


# Finite differences.


def frozen(make_anrl: Callable[..., ANRL], batch: Batch, **options: Any) -> ANRL:
    """Make an ANRL whose centres no longer move, so that its losses are functions of the parameters alone."""
    anrl = make_anrl(**VISIBLE | {"centre_momentum": 1.0} | options)
    anrl.meta_losses(batch)
    return anrl


def meta_loss(anrl: ANRL, batch: Batch) -> Tensor:
    meta_train, meta_test = anrl.meta_losses(batch)
    return anrl.weighted(meta_train) + anrl.weighted(meta_test)


def slope_along(anrl: ANRL, direction: Parameters, value: Callable[[], Tensor], distance: float = 1e-6) -> float:
    """Return the central difference of `value` along `direction`; the parameters are put back."""
    start = {name: anrl.encoder.get_parameter(name).detach().clone() for name in direction}
    values = []
    for sign in (1, -1):
        for name in direction:
            anrl.encoder.get_parameter(name).data = start[name] + sign * distance * direction[name]
        values.append(value().item())
    for name in direction:
        anrl.encoder.get_parameter(name).data = start[name]
    return (values[0] - values[1]) / (2 * distance)


@pytest.mark.parametrize(
    ("normalization", "step"),
    [("afnm", 0.5), ("afnm_1layer", 0.5), ("instance", 0.01), ("half", 0.01), ("bin", 0.01), ("ibn", 0.01)],
)
def test_the_meta_gradient_equals_finite_differences_and_a_first_order_one_does_not(
    normalization: str,
    step: float,
    make_anrl: Callable[..., ANRL],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = make_batch()
    anrl = frozen(make_anrl, batch, normalization=normalization, inner_step_size=step)
    theta_f = [anrl.encoder.get_parameter(name) for name in anrl.theta_f]
    generator = torch.Generator().manual_seed(1)
    direction = {
        name: torch.randn(p.shape, generator=generator) * (p.detach().abs().mean() + 0.01)
        for name, p in zip(anrl.theta_f, theta_f, strict=True)
    }

    def predicted() -> float:
        slopes = torch.autograd.grad(meta_loss(anrl, batch), theta_f)
        return sum((slope * direction[n]).sum().item() for n, slope in zip(anrl.theta_f, slopes, strict=True))

    exact = slope_along(anrl, direction, lambda: meta_loss(anrl, batch))
    assert predicted() == pytest.approx(exact, rel=1e-5)

    from dgfas.methods import anrl as module

    adapt = module.adapt
    monkeypatch.setattr(module, "adapt", lambda *args, **options: adapt(*args, order="first", **options))
    assert abs(predicted() - exact) > 1e-3 * abs(exact)


def test_detached_fast_weights_miss_the_identity_path_and_nothing_else(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    """The attached gradient is the detached one plus the meta-test gradient at the adapted parameters."""
    batch = make_batch()
    gradients = {}
    for fast_weights in ("attached", "detached"):
        anrl = frozen(make_anrl, batch, fast_weights=fast_weights)
        theta_f = [anrl.encoder.get_parameter(name) for name in anrl.theta_f]
        gradients[fast_weights] = torch.autograd.grad(meta_loss(anrl, batch), theta_f)

    anrl = frozen(make_anrl, batch)
    theta_f = [anrl.encoder.get_parameter(name) for name in anrl.theta_f]
    meta_train, _ = anrl.meta_losses(batch)
    slopes = torch.autograd.grad(anrl.weighted(meta_train), theta_f)
    test = batch.by_domain()[stable_rng(SEED, "meta split", ITERATION).permutation(3)[-1]]
    for parameter, slope in zip(theta_f, slopes, strict=True):
        parameter.data = parameter.data - anrl.options.inner_step_size * slope
    adapted_loss = anrl.weighted(anrl.losses([anrl.encoder(test.images)], test))
    identity = torch.autograd.grad(adapted_loss, theta_f)
    for attached, detached, missing in zip(gradients["attached"], gradients["detached"], identity, strict=True):
        torch.testing.assert_close(attached, detached + missing, rtol=1e-7, atol=1e-9)
        assert missing.norm() > 1e-6


# What changes when.


def test_the_normal_step_moves_the_base_and_the_meta_step_theta_f(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl, batch = make_anrl(**VISIBLE), make_batch()
    steps = recorded_steps(anrl)
    before = {name: p.detach().clone() for name, p in anrl.named_parameters()}
    anrl.update(batch)
    (first, at_base, _), (second, at_afnm, _) = steps
    after = {name: p.detach() for name, p in anrl.named_parameters()}
    assert (first, second) == ("base", "afnm")
    theta_f = {name for name in before if ".balance." in name}
    assert len(theta_f) == 30

    def moved(old: Parameters, new: Parameters) -> set[str]:
        return {name for name in old if not torch.equal(old[name], new[name])}

    assert moved(before, at_base) == set()
    assert moved(at_base, at_afnm) == before.keys() - theta_f
    assert moved(at_afnm, after) == theta_f


@pytest.mark.parametrize("options", [{"meta": False}, {"preset": "released"}], ids=["no meta", "single step"])
def test_one_optimiser_moves_everything_elsewhere(
    options: dict[str, Any], make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl = make_anrl(**options)
    before = {name: p.detach().clone() for name, p in anrl.named_parameters()}
    anrl.update(make_batch())
    assert list(anrl.optimisers) == ["all"]
    assert all(not torch.equal(before[name], p) for name, p in anrl.named_parameters())


def test_the_two_optimisers_have_the_two_rates(make_anrl: Callable[..., ANRL]) -> None:
    anrl = make_anrl(learning_rate=2e-3, meta_learning_rate=3e-3)
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in anrl.optimisers.items()}
    assert rates == {"base": 2e-3, "afnm": 3e-3}
    sizes = {name: sum(p.numel() for p in o.param_groups[0]["params"]) for name, o in anrl.optimisers.items()}
    assert sum(sizes.values()) == sum(p.numel() for p in anrl.parameters())


@pytest.mark.parametrize(("options", "encoder_passes", "head_passes"), [({}, 5, 5), ({"preset": "released"}, 3, 3)])
def test_the_meta_test_pass_leaves_running_statistics_alone_unless_released(
    options: dict[str, Any], encoder_passes: int, head_passes: int,
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch],
) -> None:  # fmt: skip
    """Three domains: normal training counts 3, meta-train 2, and meta-test 1 in the released code only."""
    anrl = make_anrl(**options)
    anrl.update(make_batch())
    for network, passes in (("encoder", encoder_passes), ("classifier", head_passes), ("depth", head_passes)):
        counts = {int(b) for name, b in getattr(anrl, network).named_buffers() if name.endswith("tracked")}
        assert counts == {passes}, network


def test_every_domain_comes_to_be_the_meta_test_domain(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl, batch = make_anrl(), make_batch()
    anrl.centres.follow(torch.arange(3), torch.zeros(3, 2, anrl.encoder.concat_channels))
    followed: list[int] = []
    anrl.follow = lambda pooled, parts: followed.extend(int(part.domain[0]) for part in parts)  # type: ignore
    for anrl.iteration in range(12):
        anrl.meta_losses(batch)
        assert sorted(followed[-3:]) == [0, 1, 2]
    assert set(followed[2::3]) == {0, 1, 2}


def test_frames_that_stand_in_for_an_empty_cell_count_as_of_its_domain(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    """As the sampler fills a found domain without live frames: from all domains."""
    batch = make_batch()
    own = batch.domain.clone()
    own[(batch.domain == 1) & (batch.live == 1)] = torch.tensor([2, 0])
    losses = [make_anrl().meta_losses(each) for each in (batch, replace(batch, domain=own))]
    assert losses[0] == losses[1]


def test_released_centres_restart_fifty_times_a_run(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl = make_anrl(preset="released")
    restarts = []
    anrl.centres.restart = lambda: restarts.append(anrl.iteration)  # type: ignore[method-assign]
    for anrl.iteration in range(6):  # of 100
        anrl.restart_centres()
    assert restarts == [0, 2, 4]


# State.


def whole_state(anrl: ANRL) -> dict[str, Any]:
    optimisers = {name: optimiser.state_dict() for name, optimiser in anrl.optimisers.items()}
    return copy.deepcopy({"networks": anrl.state_dict(), "optimisers": optimisers})


@pytest.mark.parametrize("preset", ["default", "released"])
def test_a_resumed_run_is_the_same_to_the_bit(
    preset: str, make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    anrl, batches = make_anrl(preset=preset), [make_batch(seed=seed) for seed in range(4)]
    for anrl.iteration in range(2):
        anrl.update(batches[anrl.iteration])
    state = whole_state(anrl)
    resumed = make_anrl(preset=preset)
    resumed.load_state_dict(state["networks"])
    for name, optimiser in resumed.optimisers.items():
        optimiser.load_state_dict(state["optimisers"][name])
    for each in (anrl, resumed):
        for each.iteration in (2, 3):
            each.update(batches[each.iteration])
    for (name, value), (_, again) in zip(anrl.state_dict().items(), resumed.state_dict().items(), strict=True):
        assert torch.equal(value, again), name


def test_centres_follow_the_mean_over_processes(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    """Two processes with two batches end with the centres of one process with both."""
    parts = make_batch().by_domain()
    together, alone = make_anrl(), make_anrl()
    pooled = [[torch.rand(4, together.encoder.concat_channels) for _ in range(3)] for _ in range(2)]
    other = torch.stack(
        [torch.stack([x[p.live == 1].mean(0), x[p.live == 0].mean(0)]) for x, p in zip(pooled[1], parts, strict=True)]
    )

    def average(tensors: list[Tensor]) -> None:
        for tensor in tensors:
            tensor.add_(other).div_(2)

    together.average = average
    together.follow(pooled[0], parts)
    double = [make_batch(per_class=4).by_domain()[k] for k in range(3)]
    alone.follow([torch.cat([a[:2], b[:2], a[2:], b[2:]]) for a, b in zip(*pooled, strict=True)], double)
    torch.testing.assert_close(together.centres.values, alone.centres.values)


# Learning, scoring, collapse, mistakes.


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["default", "released"])
def test_training_on_sixteen_samples_learns_them(
    preset: str, make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    torch.set_default_dtype(torch.float32)
    anrl = make_anrl(2, "mixed", preset=preset, learning_rate=5e-3, centre_restarts=0).float()
    batch = make_batch(2, 4, dtype=torch.float32)
    for anrl.iteration in range(25):
        anrl.update(batch)
    scores = anrl.eval().score(batch.images)
    assert scores[batch.live == 1].min() > 0.5 > scores[batch.live == 0].max()


def test_the_score_comes_from_running_statistics_one_frame_at_a_time(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    for preset in ("default", "released"):
        anrl, images = make_anrl(preset=preset).eval(), make_batch().images
        with torch.no_grad():
            together = anrl.score(images)
            alone = torch.cat([anrl.score(image[None]) for image in images])
        torch.testing.assert_close(together, alone)
        assert ((together > 0) & (together < 1)).all()


def test_an_update_tells_each_layers_alpha(make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]) -> None:
    anrl = make_anrl(normalization="afnm_1layer")
    for layer, bias in zip([m for m in anrl.encoder.modules() if hasattr(m, "balance")], range(10), strict=True):
        layer.balance.weight.data.zero_()
        layer.balance.bias.data.fill_(bias - 4.5)
    report = anrl.update(make_batch())
    expected = [1 / (1 + torch.exp(torch.tensor(4.5 - bias))).item() for bias in range(10)]
    assert [report[f"alpha_layer_{k}"] for k in range(1, 11)] == pytest.approx(expected, abs=0.02)
    assert report["alpha_saturated"] == 0
    assert not any(key.startswith("alpha") for key in make_anrl(normalization="half").update(make_batch()))


@pytest.mark.parametrize(
    ("schedule", "rate"), [("two_steps", "options.meta_learning_rate"), ("single_step", "options.learning_rate")]
)
def test_saturated_alpha_warns_once(
    make_anrl: Callable[..., ANRL],
    make_batch: Callable[..., Batch],
    caplog: pytest.LogCaptureFixture,
    schedule: str,
    rate: str,
) -> None:
    anrl = make_anrl(normalization="afnm_1layer", idc_weight=0.0, ics_weight=0.0, schedule=schedule)
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        anrl.update(make_batch())
        assert caplog.records == []
        for layer in [m for m in anrl.encoder.modules() if hasattr(m, "balance")][:5]:
            layer.balance.bias.data.fill_(8.0)
        reports = [anrl.update(make_batch()) for _ in range(2)]
    assert reports[0]["alpha_saturated"] > 0.2
    assert [record.message.split(" at iteration")[0].split("% ")[1] for record in caplog.records] == [
        "of alpha are below .01 or above .99"
    ]
    assert caplog.records[0].message.endswith(f" or {rate}")


def test_runaway_calibration_warns_once(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch], caplog: pytest.LogCaptureFixture
) -> None:
    anrl = make_anrl(preset="released", ics_weight=500.0)
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        for anrl.iteration in range(3):
            report = anrl.update(make_batch())
    assert report["ics_loss"] < 0
    assert [record.message[:32] for record in caplog.records] == ["anrl: the calibration losses are"]


def test_mistakes_of_a_user(make_anrl: Callable[..., ANRL]) -> None:
    with pytest.raises(UserError, match="at least 2 source domains"):
        make_anrl(n_domains=1)
    with pytest.raises(UserError, match=r"options\.normalization: unknown normalisation 'bach'; did you mean 'batch'"):
        make_anrl(normalization="bach")
    with pytest.raises(UserError, match="contradicts options"):
        make_anrl(network={"normalization": "ibn"})
    with pytest.raises(UserError, match=r"network\.checkpoint_activations"):
        make_anrl(network={"checkpoint_activations": True})


def test_without_meta_learning_one_domain_and_checkpointing_are_fine(
    make_anrl: Callable[..., ANRL], make_batch: Callable[..., Batch]
) -> None:
    plain, saving = (make_anrl(n_domains=1, meta=False, network={"checkpoint_activations": on}) for on in (False, True))
    for anrl in (plain, saving):
        anrl.update(make_batch(1))
    for (name, value), (_, saved) in zip(plain.state_dict().items(), saving.state_dict().items(), strict=True):
        torch.testing.assert_close(saved, value, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize(
    ("preset", "encoder", "classifier"), [("released", 1_953_016, 1_920_129), ("default", 1_779_152, 1_625_217)]
)
def test_full_width_has_the_parameters_of_the_paper(preset: str, encoder: int, classifier: int) -> None:
    """The released classifier has 1,920,642: one more logit of 513."""
    options = method_options("anrl", preset_values("anrl", preset))
    anrl = ANRL(options, Setup(NetworkConfig(image_size=256, width=1.0), 3, 10))
    sizes = [sum(p.numel() for p in part.parameters()) for part in (anrl.encoder, anrl.classifier, anrl.depth)]
    assert sizes == [encoder, classifier, 517_251]
