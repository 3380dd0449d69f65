"""RFM's update against a slow re-computation of Algorithm 1 and against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.core.seeding import stable_rng
from dgfas.data.batches import Batch
from dgfas.methods.base import Setup
from dgfas.methods.registry import method_options, preset_values
from dgfas.methods.rfm import RFM

#: Large, so that the second-order term is a large part of the gradient.
INNER_STEP = 0.1
SEED, ITERATION = 5, 3

Parameters = dict[str, Tensor]


@pytest.fixture
def make_rfm() -> Iterator[Callable[..., RFM]]:
    """Return a maker of a small RFM in float64."""
    torch.set_default_dtype(torch.float64)

    def make(
        n_domains: int = 3, bn_batches: str = "per_domain", checkpoint_activations: bool = False, **options: object
    ) -> RFM:
        torch.manual_seed(0)
        network = NetworkConfig(image_size=32, width=0.25, checkpoint_activations=checkpoint_activations)
        values = preset_values("rfm", "default") | {"inner_step_size": INNER_STEP} | options
        rfm = RFM(method_options("rfm", values), Setup(network, n_domains, 10, bn_batches, SEED))
        rfm.iteration = ITERATION
        return rfm

    yield make
    torch.set_default_dtype(torch.float32)


def one_step(rfm: RFM, batch: Batch) -> tuple[float, Parameters]:
    """Do one update; return its loss and the gradient that the optimiser saw for every parameter."""
    gradients: Parameters = {}

    def record(*_: object) -> None:
        gradients.update({name: p.grad.clone() for name, p in rfm.named_parameters()})

    rfm.optimiser.register_step_pre_hook(record)
    return sum(rfm.update(batch).values()), gradients


# The slow re-computation: parameters in a plain dict, batch normalisation and losses written out.


def block(x: Tensor, parameters: Parameters, name: str) -> Tensor:
    x = F.conv2d(x, parameters[f"{name}.0.weight"], parameters[f"{name}.0.bias"], padding=1)
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = (x - mean).square().mean(dim=(0, 2, 3), keepdim=True)
    scale, offset = (parameters[f"{name}.1.{part}"].view(1, -1, 1, 1) for part in ("weight", "bias"))
    return ((x - mean) / (variance + 1e-5).sqrt() * scale + offset).clamp(min=0)


def encode(images: Tensor, parameters: Parameters) -> tuple[Tensor, Tensor]:
    x = block(images, parameters, "encoder.stem")
    outputs = []
    for stage in range(3):
        for position in range(3):
            x = block(x, parameters, f"encoder.stages.{stage}.{position}")
        x = F.max_pool2d(x, 2)
        outputs.append(x)
    return x, torch.cat([F.avg_pool2d(outputs[0], 4), F.avg_pool2d(outputs[1], 2), outputs[2]], dim=1)


def classify(features: Tensor, parameters: Parameters) -> Tensor:
    x = F.max_pool2d(block(features, parameters, "meta_learner.body.0"), 2)
    x = F.max_pool2d(block(x, parameters, "meta_learner.body.2"), 2)
    x = block(x, parameters, "meta_learner.body.4").mean(dim=(2, 3))
    return F.linear(x, parameters["meta_learner.output.weight"], parameters["meta_learner.output.bias"])[:, 0]


def classification_loss(features: Tensor, live: Tensor, parameters: Parameters) -> Tensor:
    total = torch.zeros(())
    for logit, y in zip(classify(features, parameters), live, strict=True):
        p = 1 / (1 + torch.exp(-logit))
        total = total - (torch.log(p) if y == 1 else torch.log(1 - p))
    return total / len(live)


def depth_loss(features: Tensor, domain: Batch, parameters: Parameters) -> Tensor:
    for position in range(3):
        features = block(features, parameters, f"depth.body.{position}")
    errors = []
    for frame in range(len(domain.live)):
        if domain.depth_known[frame]:
            errors.append((features[frame] - domain.depth[frame]).pow(2).sum() / features[frame].numel())
    return sum(errors, torch.zeros(())) / len(errors)


def slow_loss(rfm: RFM, parameters: Parameters, batch: Batch) -> Tensor:
    """Compute the sum of eq. 1 to 4 in the order of Algorithm 1."""
    options = rfm.options
    domains = batch.by_domain()
    if rfm.setup.bn_batches == "mixed":
        size = len(domains[0].live)
        last, concat = encode(batch.images, parameters)
        features = [(last[k : k + size], concat[k : k + size]) for k in range(0, len(last), size)]
    else:
        features = [encode(domain.images, parameters) for domain in domains]

    order = list(stable_rng(SEED, "meta split", ITERATION).permutation(len(domains)))
    test = order.pop()
    groups = [[k] for k in order]
    if options.pairing == "aggregated":
        groups = [order]
    if not options.meta:
        groups = [[k] for k in range(len(domains))]

    total = torch.zeros(())
    for group in groups:
        last = torch.cat([features[k][0] for k in group])
        live = torch.cat([domains[k].live for k in group])
        inner = classification_loss(last, live, parameters)
        total = total + inner
        if options.pairing == "fine_grained" or not options.meta:
            total = total + options.depth_weight * depth_loss(features[group[0]][1], domains[group[0]], parameters)
        else:
            joint = Batch(
                torch.cat([domains[k].images for k in group]),
                torch.cat([domains[k].depth for k in group]),
                torch.cat([domains[k].depth_known for k in group]),
                live,
                torch.cat([domains[k].domain for k in group]),
                torch.cat([domains[k].row for k in group]),
                n_domains=len(group),
            )
            concat = torch.cat([features[k][1] for k in group])
            total = total + options.depth_weight * depth_loss(concat, joint, parameters)
        if options.meta:
            names = [name for name in parameters if name.startswith("meta_learner.")]
            slopes = torch.autograd.grad(inner, [parameters[name] for name in names], create_graph=True)
            adapted = dict(parameters)
            for name, slope in zip(names, slopes, strict=True):
                kept = slope if options.order == "second" else slope.detach()
                adapted[name] = parameters[name] - options.inner_step_size * kept
            total = total + classification_loss(features[test][0], domains[test].live, adapted)
    if options.meta:
        total = total + options.depth_weight * depth_loss(features[test][1], domains[test], parameters)
    return total


def slow_step(rfm: RFM, batch: Batch) -> tuple[float, Parameters]:
    parameters = {name: p.detach().clone().requires_grad_() for name, p in rfm.named_parameters()}
    loss = slow_loss(rfm, parameters, batch)
    gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, materialize_grads=True)
    return loss.item(), dict(zip(parameters, gradients, strict=True))


def disagreeing(ours: Parameters, slow: Parameters) -> list[str]:
    """Name the gradients that differ; a convolution's bias before batch normalisation has a true gradient of 0."""
    assert ours.keys() == slow.keys()
    return [name for name in ours if (ours[name] - slow[name]).norm() > 1e-9 * slow[name].norm() + 1e-11]


VARIANTS = {
    "default": {},
    "two domains": {"n_domains": 2},
    "four domains": {"n_domains": 4},
    "mixed batches": {"bn_batches": "mixed"},
    "first order": {"order": "first"},
    "aggregated": {"pairing": "aggregated"},
    "no meta-learning": {"meta": False},
    "no depth": {"depth_weight": 0.0},
    "checkpointing": {"checkpoint_activations": True},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_one_step_equals_the_slow_recomputation(
    variant: dict[str, object], make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    rfm, batch = make_rfm(**variant), make_batch(variant.get("n_domains", 3))
    slow_value, slow_gradients = slow_step(rfm, batch)
    value, gradients = one_step(rfm, batch)
    assert value == pytest.approx(slow_value, rel=1e-12)
    assert disagreeing(gradients, slow_gradients) == []


def test_without_the_second_order_term_the_recomputation_disagrees(
    make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    _, slow_gradients = slow_step(make_rfm(), batch)
    _, gradients = one_step(make_rfm(order="first"), batch)
    wrong = disagreeing(gradients, slow_gradients)
    weights = [name for name in gradients if name.endswith("weight") and not name.startswith("depth")]
    assert set(weights) <= set(wrong)
    name = "meta_learner.output.weight"
    assert (gradients[name] - slow_gradients[name]).norm() > 0.01 * slow_gradients[name].norm()


def random_direction(rfm: RFM, part: str, generator: torch.Generator) -> Parameters:
    """Return a direction of length 1 in the parameters whose name starts with `part`."""
    direction = {
        name: torch.randn(p.shape, generator=generator) * p.detach().abs().mean() * name.startswith(part)
        for name, p in rfm.named_parameters()
    }
    length = torch.stack([step.square().sum() for step in direction.values()]).sum().sqrt()
    return {name: step / length for name, step in direction.items()}


def slope_along(rfm: RFM, batch: Batch, direction: Parameters, distance: float = 1e-6) -> float:
    """Return the central difference of the loss; the parameters are put back."""
    start = {name: p.detach().clone() for name, p in rfm.named_parameters()}
    values = []
    for sign in (1, -1):
        for name, parameter in rfm.named_parameters():
            parameter.data = start[name] + sign * distance * direction[name]
        values.append(sum(loss.item() for loss in rfm.losses(batch)))
    for name, parameter in rfm.named_parameters():
        parameter.data = start[name]
    return (values[0] - values[1]) / (2 * distance)


def test_gradients_equal_finite_differences_and_first_order_ones_do_not(
    make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    exact, first = make_rfm(), make_rfm(order="first")
    _, exact_gradients = one_step(make_rfm(), batch)
    _, first_gradients = one_step(make_rfm(order="first"), batch)
    generator = torch.Generator().manual_seed(1)
    for part in ("", "encoder", "meta_learner", "depth"):
        direction = random_direction(exact, part, generator)
        slope = slope_along(exact, batch, direction)
        predicted = sum((exact_gradients[name] * direction[name]).sum().item() for name in direction)
        without = sum((first_gradients[name] * direction[name]).sum().item() for name in direction)
        assert predicted == pytest.approx(slope, rel=1e-6), part
        assert slope_along(first, batch, direction) == pytest.approx(slope, rel=1e-12), "both losses are the same"
        if part != "depth":  # which has no part in the inner step
            assert abs(without - slope) > 0.1 * abs(slope), part


# What else one update does.


def test_every_domain_comes_to_be_the_meta_test_domain(
    make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    rfm, batch = make_rfm(), make_batch()
    seen = []
    monkeypatch.setattr(RFM, "classification", lambda self, features, part: seen.append(part) or classification(part))

    def classification(part: Batch) -> Tensor:
        return sum(p.sum() for p in rfm.meta_learner.parameters()) * part.live.mean()

    tests = set()
    for iteration in range(12):
        rfm.iteration = iteration
        seen.clear()
        rfm.losses(batch)
        trained = {int(part.domain[0]) for part in seen}
        assert len(trained) == 2
        tests |= {0, 1, 2} - trained
    assert tests == {0, 1, 2}


@pytest.mark.parametrize("momentum", [0.1, 1.0])
def test_running_statistics_come_from_meta_train_only(
    momentum: float, make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    """The adapted learners' pass over the meta-test domain leaves no trace in the meta learner."""
    rfm, batch = make_rfm(bn_momentum=momentum), make_batch()
    parameters = {name: p.detach().clone() for name, p in rfm.named_parameters()}
    rfm.update(batch)
    assert {int(norm) for name, norm in rfm.encoder.named_buffers() if name.endswith("tracked")} == {3}
    assert {int(norm) for name, norm in rfm.depth.named_buffers() if name.endswith("tracked")} == {3}
    assert {int(norm) for name, norm in rfm.meta_learner.named_buffers() if name.endswith("tracked")} == {2}

    weight, bias = parameters["meta_learner.body.0.0.weight"], parameters["meta_learner.body.0.0.bias"]
    mean, variance = torch.zeros(len(bias)), torch.ones(len(bias))
    for k in list(stable_rng(SEED, "meta split", ITERATION).permutation(3))[:2]:
        x = F.conv2d(encode(batch.by_domain()[k].images, parameters)[0], weight, bias, padding=1)
        mean = (1 - momentum) * mean + momentum * x.mean(dim=(0, 2, 3))
        variance = (1 - momentum) * variance + momentum * x.var(dim=(0, 2, 3), correction=1)
    torch.testing.assert_close(rfm.meta_learner.body[0][1].running_mean, mean)
    torch.testing.assert_close(rfm.meta_learner.body[0][1].running_var, variance)


def test_checkpointing_counts_every_batch_once(make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]) -> None:
    plain, saving = make_rfm(), make_rfm(checkpoint_activations=True)
    for rfm in (plain, saving):
        rfm.update(make_batch())
    for (name, value), (_, saved) in zip(plain.state_dict().items(), saving.state_dict().items(), strict=True):
        torch.testing.assert_close(saved, value, rtol=0, atol=0, msg=name)


def test_the_optimiser_is_adam_without_weight_decay_over_all_three_networks(
    make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    rfm = make_rfm(learning_rate=2e-3)
    start = {name: p.detach().clone() for name, p in rfm.named_parameters()}
    _, gradients = one_step(rfm, make_batch())
    for name, parameter in rfm.named_parameters():  # Adam's first step with its bias correction
        expected = start[name] - 2e-3 * gradients[name] / (gradients[name].abs() + 1e-8)
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-6, atol=1e-9, msg=name)


def test_the_score_is_the_probability_of_live_from_running_statistics(
    make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]
) -> None:
    rfm, images = make_rfm().eval(), make_batch().images
    with torch.no_grad():
        together = rfm.score(images)
        alone = torch.cat([rfm.score(image[None]) for image in images])
        logit = rfm.meta_learner(rfm.encoder(images).last)
    torch.testing.assert_close(together, alone)
    assert together.tolist() == pytest.approx([1 / (1 + math.exp(-value)) for value in logit.tolist()])


def test_training_on_one_batch_learns_it(make_rfm: Callable[..., RFM], make_batch: Callable[..., Batch]) -> None:
    rfm, batch = make_rfm(inner_step_size=1e-3), make_batch(2)
    losses = [sum(rfm.update(batch).values()) for _ in range(10)]
    assert losses[-1] < 0.5 * losses[0]


def test_one_source_domain_is_too_few_unless_meta_learning_is_off(make_rfm: Callable[..., RFM]) -> None:
    with pytest.raises(UserError, match="at least 2 source domains"):
        make_rfm(n_domains=1)
    make_rfm(n_domains=1, meta=False)


def test_full_width_has_the_parameters_of_the_paper() -> None:
    network = NetworkConfig(image_size=256, width=1.0)
    rfm = RFM(method_options("rfm", preset_values("rfm", "paper")), Setup(network, 3, 10))
    assert sum(parameter.numel() for parameter in rfm.parameters()) == 3_873_576


def test_presets_differ_where_the_card_says() -> None:
    default, paper, released = (preset_values("rfm", name) for name in ("default", "paper", "released"))
    assert {key: value for key, value in paper.items() if value != default[key]} == {"depth_weight": 1.0}
    assert {key: value for key, value in released.items() if value != default[key]} == {"bn_momentum": 1.0}
