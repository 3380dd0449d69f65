"""MetaReg: its two phases, the gradient of its regulariser, the steps by hand."""

import logging

import pytest
import torch
from method_checks import (
    assert_resumes_identically,
    build,
    changed,
    gradient_error,
    make_batch,
    state_of,
    step,
)
from torch import nn
from torch.nn import functional as F

from dgfas.core.errors import UserError
from dgfas.methods import metareg
from dgfas.networks.adapt import adapt

PARTS = ("encoder", "source_classifiers", "final_classifier", "importance")


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_works_with_any_number_of_sources(n_domains, bn_batches):
    method = build("metareg", n_domains=n_domains, bn_batches=bn_batches)
    assert "transfer_loss" in step(method, make_batch(n_domains), 0)
    assert "penalty" in step(method, make_batch(n_domains), 19)


def test_refuses_a_single_source():
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("metareg", n_domains=1)


def test_each_phase_changes_its_own_networks():
    method, batch = build("metareg", iterations=20), make_batch()
    for iteration, expected in (
        (0, {"encoder", "source_classifiers", "importance"}),
        (9, {"encoder", "source_classifiers", "importance"}),
        (10, {"encoder", "final_classifier"}),
        (19, {"encoder", "final_classifier"}),
    ):
        before = {part: state_of(getattr(method, part)) for part in PARTS}
        step(method, batch, iteration)
        assert {part for part in PARTS if changed(getattr(method, part), before[part])} == expected


def test_the_regulariser_step_changes_the_regulariser_only_and_keeps_it_from_falling_below_zero():
    method, batch = build("metareg"), make_batch()
    features = [part.last.detach() for part in method.encode(method.encoder, batch)]
    before = {part: state_of(getattr(method, part)) for part in PARTS}
    buffers = {name: value.clone() for name, value in method.named_buffers()}
    method.regulariser_step(features, batch)
    assert {part for part in PARTS if changed(getattr(method, part), before[part])} == {"importance"}
    assert all(torch.equal(value, buffers[name]) for name, value in method.named_buffers())
    assert method.importance[0].min() == 0 < method.importance[0].max()


def prepared(importance=0.05, **options):
    method = build("metareg", **({"inner_step_size": 0.1} | options)).double()
    nn.init.constant_(method.importance[0], importance)
    batch = make_batch(dtype=torch.float64)
    return method, batch, [part.last.detach() for part in method.encode(method.encoder, batch)]


@pytest.mark.parametrize("inner_steps", [1, 3])
def test_transfer_loss_equals_steps_by_hand(inner_steps):
    method, batch, features = prepared(inner_steps=inner_steps)
    loss = method.transfer_loss(features, batch, 2, 0)
    twin, _, _ = prepared()
    classifier = twin.source_classifiers[2]
    optimiser = torch.optim.SGD(classifier.parameters(), 0.1)
    domains = batch.by_domain()
    for _ in range(inner_steps):
        optimiser.zero_grad()
        penalty = sum(0.05 * abs(w) for w in classifier.output.weight.flatten())
        (F.binary_cross_entropy_with_logits(classifier(features[2]), domains[2].live) + penalty).backward()
        optimiser.step()
    expected = F.binary_cross_entropy_with_logits(classifier(features[0]), domains[0].live)
    assert torch.allclose(loss, expected)


@pytest.mark.parametrize("inner_steps", [1, 3])
def test_gradient_of_the_regulariser_agrees_with_finite_differences(inner_steps):
    method, batch, features = prepared(inner_steps=inner_steps)
    assert gradient_error(lambda: method.transfer_loss(features, batch, 0, 1), method.importance, 1e-6) < 1e-5


def test_without_the_graph_of_the_inner_steps_it_does_not(monkeypatch):
    """Negative control: steps before the last are cut off."""
    method, batch, features = prepared(inner_steps=3)
    taken = []

    def cut(module, loss, step_size, order, start):
        taken.append(None)
        stepped = adapt(module, loss, step_size, order, start=start)
        if len(taken) % 3 == 0:
            return stepped
        return {name: value.detach().requires_grad_() for name, value in stepped.items()}

    monkeypatch.setattr(metareg, "adapt", cut)
    assert gradient_error(lambda: method.transfer_loss(features, batch, 0, 1), method.importance, 1e-6) > 0.1


def test_regularised_final_training_ends_with_smaller_weights():
    sizes = []
    for importance in (0.0, 0.1):
        method = build("metareg", learn_share=0.0)
        nn.init.constant_(method.importance[0], importance)
        for iteration in range(10):
            step(method, make_batch(), iteration)
        sizes.append(method.final_classifier.output.weight.abs().sum().item())
    assert sizes[1] < 0.95 * sizes[0]


def test_pairs_are_of_different_sources_and_vary():
    method, batch, features = prepared(inner_steps=1)
    transfer_loss, pairs = method.transfer_loss, []

    def spied(features, batch, a, b):
        pairs.append((a, b))
        return transfer_loss(features, batch, a, b)

    method.transfer_loss = spied
    for method.iteration in range(30):
        method.regulariser_step(features, batch)
    assert len(set(pairs)) == 6
    assert all(a != b for a, b in pairs)


def test_score_is_the_sources_mean_until_the_final_classifier_is_trained():
    method, images = build("metareg"), make_batch().images
    method.eval()
    features = method.encoder(images).last
    expected = sum(torch.sigmoid(classifier(features)) for classifier in method.source_classifiers) / 3
    assert torch.allclose(method.score(images), expected)
    step(method, make_batch(), 19)
    method.eval()
    expected = torch.sigmoid(method.final_classifier(method.encoder(images).last))
    assert torch.equal(method.score(images), expected)


def test_collapse_is_said_once(caplog):
    method = build("metareg", learning_rate=1e-9)
    nn.init.zeros_(method.final_classifier.output.weight)
    with caplog.at_level(logging.WARNING, "dgfas"):
        for _ in range(2):
            method.final_step(make_batch())
    assert len(caplog.records) == 1
    assert "has shrunk the classifier to nothing" in caplog.text


@pytest.mark.parametrize("stop_at", [1, 3])
def test_resumes_bit_identically_in_both_phases(stop_at):
    assert_resumes_identically(lambda: build("metareg", iterations=4), iterations=4, stop_at=stop_at)
