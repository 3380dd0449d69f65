"""MADDG: what each step changes and leaves, its losses by hand, the directions of the game."""

import logging

import pytest
import torch
from method_checks import assert_resumes_identically, build, changed, make_batch, state_of, step
from torch.nn import functional as F

from dgfas.core.errors import UserError
from dgfas.losses.triplet import dual_force_triplet
from dgfas.networks.discriminators import PatchCritic

PARTS = ("encoder", "depth", "embedder", "critics", "source_encoders", "source_depths")


def what_changes(method, action):
    before = {part: state_of(getattr(method, part)) for part in PARTS}
    result = action()
    return {part for part in PARTS if changed(getattr(method, part), before[part])}, result


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_works_with_any_number_of_sources(n_domains, bn_batches):
    method = build("maddg", n_domains=n_domains, bn_batches=bn_batches)
    assert len(method.critics) == n_domains
    assert set(step(method, make_batch(n_domains), 0)) == {"pretrain_depth_loss"}
    assert 0 <= step(method, make_batch(n_domains), 10)["critic_accuracy"] <= 1


def test_every_step_changes_its_own_networks_only():
    method, batch = build("maddg"), make_batch()
    method.train()
    assert what_changes(method, lambda: method.pretrain(batch))[0] == {"source_encoders", "source_depths"}
    method.source_encoders.eval()
    assert what_changes(method, lambda: method.depth_step(batch))[0] == {"encoder", "depth"}
    names, (shared, _) = what_changes(method, lambda: method.generator_step(batch))
    assert names == {"encoder", "embedder"}
    assert not shared.requires_grad
    assert what_changes(method, lambda: method.critic_step(batch, shared))[0] == {"critics"}


def test_sources_are_trained_in_the_first_share_and_frozen_whole_afterwards():
    method, batch = build("maddg", iterations=20), make_batch()
    for iteration, trained in ((0, {"source_encoders", "source_depths"}), (1, {"source_encoders", "source_depths"})):
        assert what_changes(method, lambda i=iteration: step(method, batch, i))[0] == trained
    frozen = {name: value.clone() for name, value in method.source_encoders.state_dict().items()}  # statistics too
    assert what_changes(method, lambda: step(method, batch, 2))[0] == {"encoder", "depth", "embedder", "critics"}
    for name, value in method.source_encoders.state_dict().items():
        assert torch.equal(value, frozen[name]), name


def test_a_source_extractor_sees_its_own_source_only():
    grown = []
    for scale in (1.0, 0.5):
        method, batch = build("maddg"), make_batch()
        batch.images[batch.domain == 2] *= scale
        step(method, batch, 0)
        grown.append([state_of(encoder) for encoder in method.source_encoders])
    for domain, same in ((0, True), (1, True), (2, False)):
        pairs = zip(grown[0][domain].values(), grown[1][domain].values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == same


def test_generator_losses_by_hand():
    batch = make_batch(dtype=torch.float64)
    method, twin = build("maddg").double(), build("maddg").double()
    shared, logged = method.generator_step(batch)
    features = [twin.encoder(part.images).last for part in batch.by_domain()]
    embedded = [twin.embedder(x) for x in features]
    classification = sum(
        F.binary_cross_entropy_with_logits(e.logit, part.live).item() / 3
        for e, part in zip(embedded, batch.by_domain(), strict=True)
    )
    unit = [torch.stack([row / row.norm() for row in e.vector]) for e in embedded]
    triplet = dual_force_triplet(unit, [part.live for part in batch.by_domain()], 0.5, 0.1, 0.1)
    scores = [critic(torch.cat(features)).flatten().tolist() for critic in twin.critics]
    generator = sum(sum((s - 1) ** 2 for s in values) / len(values) for values in scores) / 3
    assert torch.allclose(shared, torch.cat(features))
    assert logged["classification_loss"] == pytest.approx(classification)
    assert logged["triplet_loss"] == pytest.approx(triplet.item())
    assert logged["generator_loss"] == pytest.approx(generator)


def test_the_generator_steps_on_the_weighted_sum_of_its_losses():
    method = build("maddg", triplet_weight=0.7, adversarial_weight=0.3).double()
    stepped = []
    method.minimise = lambda loss, optimiser: stepped.append((loss.item(), optimiser))
    _, logged = method.generator_step(make_batch(dtype=torch.float64))
    total = logged["classification_loss"] + 0.7 * logged["triplet_loss"] + 0.3 * logged["generator_loss"]
    assert stepped == [(pytest.approx(total), method.generator_optimiser)]
    assert logged["triplet_loss"] > 0


def test_depth_losses_by_hand():
    batch = make_batch(dtype=torch.float64)
    method, twin = build("maddg").double(), build("maddg").double()
    parts = batch.by_domain()
    own = [
        (depth(encoder(part.images).concat) - part.depth).square().mean().item()
        for encoder, depth, part in zip(twin.source_encoders, twin.source_depths, parts, strict=True)
    ]
    assert method.pretrain(batch)["pretrain_depth_loss"] == pytest.approx(sum(own) / 3)
    shared = [(twin.depth(twin.encoder(part.images).concat) - part.depth).square().mean().item() for part in parts]
    assert method.depth_step(batch)["depth_loss"] == pytest.approx(sum(shared) / 3)


def test_every_step_has_its_own_share_of_the_rate():
    ratios = {"depth_rate_ratio": 2.0, "critic_rate_ratio": 3.0, "pretrain_rate_ratio": 5.0}
    method = build("maddg", learning_rate=1e-3, **ratios)
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in method.optimisers.items()}
    assert rates == pytest.approx({"pretrain": 5e-3, "depth": 2e-3, "generator": 1e-3, "critics": 3e-3})


def test_a_single_source_is_refused():
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("maddg", n_domains=1)


def test_critic_loss_by_hand_and_repeating_the_real_features_changes_nothing():
    """The released code repeats them three times, to equal numbers; means and batch statistics are the same."""
    batch = make_batch(dtype=torch.float64)
    method, twin = build("maddg").double(), build("maddg").double()
    for each in (method, twin):
        each.train()
        each.source_encoders.eval()
    shared = torch.cat([part.last for part in twin.encode(twin.encoder, batch)]).detach()
    logged = method.critic_step(batch, shared)
    expected = 0.0
    for critic, own in zip(twin.critics, twin.frozen_features(batch), strict=True):
        real, generated = critic(own.repeat(3, 1, 1, 1)), critic(shared)
        expected += 0.5 * ((real - 1).square().mean() + generated.square().mean()).item() / 3
    assert logged["critic_loss"] == pytest.approx(expected)


def test_critics_learn_to_tell_and_the_generator_learns_to_pass():
    method, batch = build("maddg", triplet_weight=0.0), make_batch(per_class=3)
    method.train()
    method.source_encoders.eval()
    shared = torch.cat([part.last for part in method.encode(method.encoder, batch)]).detach()
    accuracy = [method.critic_step(batch, shared)["critic_accuracy"] for _ in range(15)]
    assert accuracy[-1] > 0.9 > accuracy[0]
    losses = [method.generator_step(batch)[1]["generator_loss"] for _ in range(15)]
    assert losses[-1] < 0.5 * losses[0]


def test_critic_has_the_published_size_and_shape():
    critic = PatchCritic(128, 32, 1.0)
    assert sum(p.numel() for p in critic.parameters()) == 2_893_568
    assert critic(torch.zeros(2, 128, 32, 32)).shape == (2, 1, 3, 3)
    for side in (4, 8, 16):
        assert PatchCritic(8, side, 0.25)(torch.zeros(2, 8, side, side)).shape == (2, 1, 3, 3)


def test_collapse_is_said_once(caplog):
    method = build("maddg")
    with caplog.at_level(logging.WARNING, "dgfas"):
        for _ in range(2):
            method.watch_embedding(torch.ones(6, 4) / 2)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("stop_at", [1, 3])
def test_resumes_bit_identically_in_and_after_pre_training(stop_at):
    assert_resumes_identically(lambda: build("maddg", "released", iterations=4), iterations=4, stop_at=stop_at)
