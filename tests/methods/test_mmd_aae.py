"""MMD-AAE: its terms by hand, what each step changes, what is pulled where."""

import logging

import pytest
import torch
from method_checks import assert_resumes_identically, build, changed, make_batch, state_of, step
from torch import nn
from torch.nn import functional as F

from dgfas.core.errors import UserError
from dgfas.losses.mmd import squared_mmd
from dgfas.methods.mmd_aae import mean_pairwise_mmd

PARTS = ("encoder", "pooling", "to_code", "from_code", "classifier", "critic")


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_works_with_any_number_of_sources(n_domains, bn_batches):
    method = build("mmd_aae", n_domains=n_domains, bn_batches=bn_batches)
    assert 0 <= step(method, make_batch(n_domains), 0)["critic_accuracy"] <= 1


def test_refuses_a_single_source():
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("mmd_aae", n_domains=1)


def test_the_critic_step_changes_the_critic_and_the_main_step_all_else():
    method, batch = build("mmd_aae"), make_batch()
    for critic_turn in (True, False):
        before = {part: state_of(getattr(method, part)) for part in PARTS}
        coded = method.coded(batch.images)
        if critic_turn:
            method.critic_step(coded.code.detach())
        else:
            method.main_step(coded, batch)
        for part in PARTS:
            assert changed(getattr(method, part), before[part]) == ((part == "critic") == critic_turn), part


def test_main_loss_equals_its_four_terms_by_hand():
    batch = make_batch(dtype=torch.float64)
    options = {"reconstruction_weight": 2.0, "mmd_weight": 3.0, "adversarial_weight": 0.5}
    method, twin = build("mmd_aae", **options).double(), build("mmd_aae").double()
    logged = method.main_step(method.coded(batch.images), batch)
    features = twin.pooling(twin.encoder(batch.images).last)
    code = features @ twin.to_code.weight.T + twin.to_code.bias
    rebuilt = code @ twin.from_code.weight.T + twin.from_code.bias
    classification = F.binary_cross_entropy_with_logits(twin.classifier(code).squeeze(1), batch.live)
    reconstruction = ((rebuilt - features) ** 2).mean()
    a, b, c = code.split(4)
    scale = 2 * code.shape[1]  # what two draws of a prior of variance 1 lie apart, squared, in the mean
    alignment = (squared_mmd(a, b, scale) + squared_mmd(a, c, scale) + squared_mmd(b, c, scale)) / 3
    adversarial = -F.logsigmoid(twin.critic(code)).mean()
    for name, value in {
        "classification_loss": classification,
        "reconstruction_loss": reconstruction,
        "mmd": alignment,
        "generator_loss": adversarial,
        "loss": classification + 2 * reconstruction + 3 * alignment + 0.5 * adversarial,
    }.items():
        assert logged[name] == pytest.approx(value.item()), name


def test_features_are_a_constant_target_of_the_reconstruction():
    batch = make_batch(dtype=torch.float64)
    method = build("mmd_aae", mmd_weight=0.0, adversarial_weight=0.0, reconstruction_weight=1e6).double()
    coded = method.coded(batch.images)
    (detached,) = torch.autograd.grad(
        F.mse_loss(coded.rebuilt, coded.features.detach()), [method.pooling[0][0].weight], retain_graph=True
    )
    (attached,) = torch.autograd.grad(
        F.mse_loss(coded.rebuilt, coded.features), [method.pooling[0][0].weight], retain_graph=True
    )
    caught = {}
    method.optimiser.step = lambda: caught.update(gradient=method.pooling[0][0].weight.grad.clone())
    method.main_step(coded, batch)
    assert torch.allclose(caught["gradient"] / 1e6, detached, atol=1e-5)
    assert not torch.allclose(caught["gradient"] / 1e6, attached, atol=1e-5)


def test_alignment_pulls_an_outlying_source_in():
    torch.manual_seed(0)
    codes = [torch.randn(8, 4), torch.randn(8, 4), (torch.randn(8, 4) + 2).requires_grad_()]

    def gap():
        return (codes[2].mean(0) - torch.cat(codes[:2]).mean(0)).norm().item()

    before = gap()
    for _ in range(40):
        (gradient,) = torch.autograd.grad(mean_pairwise_mmd(codes), codes[2])
        with torch.no_grad():
            codes[2] -= gradient
    assert gap() < 0.7 * before


def test_alignment_measures_by_the_distances_of_the_prior():
    generator = torch.Generator().manual_seed(0)
    codes = [torch.randn(8, 4, generator=generator) for _ in range(3)]
    small = mean_pairwise_mmd([0.01 * code for code in codes])
    assert small < 0.01 * mean_pairwise_mmd(codes), "relative to the codes' own distances it would be the same"


def test_collapse_is_said_once(caplog):
    method, batch = build("mmd_aae"), make_batch()
    nn.init.zeros_(method.to_code.weight)
    coded = method.coded(batch.images)
    with caplog.at_level(logging.WARNING, "dgfas"):
        method.main_step(coded, batch)
        nn.init.zeros_(method.to_code.weight)
        method.main_step(method.coded(batch.images), batch)
    assert [record.message[:26] for record in caplog.records] == ["mmd_aae: all codes coincid"]


def test_resumes_bit_identically():
    assert_resumes_identically(lambda: build("mmd_aae"), iterations=4, stop_at=2)
