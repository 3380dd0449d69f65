"""DRDG's steps against slow re-computations, its schedules, and which parameters each step moves."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.data.batches import Batch
from dgfas.methods.base import NonFiniteLossError, Setup
from dgfas.methods.drdg import DRDG, steps_of
from dgfas.methods.registry import method_options, preset_values

Parameters = dict[str, Tensor]


@pytest.fixture
def make_drdg() -> Iterator[Callable[..., DRDG]]:
    """Return a maker of a small DRDG in float64."""
    torch.set_default_dtype(torch.float64)

    def make(n_domains: int = 3, bn_batches: str = "per_domain", preset: str = "default", **options: Any) -> DRDG:
        torch.manual_seed(0)
        config = NetworkConfig(image_size=32, width=0.125, stem_stride=2)
        values = preset_values("drdg", preset) | options
        return DRDG(method_options("drdg", values), Setup(config, n_domains, 100, bn_batches, seed=5))

    yield make
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def options() -> Callable[..., Any]:
    return lambda **changes: method_options("drdg", preset_values("drdg", "default") | changes)


# The schedules.

D, SRM, MAIN, FRM = "discriminator", "srm", "main", "frm"


def slow_algorithm(passes: int, every: int) -> list[tuple[str, ...]]:
    """Algorithm 1, line by line."""
    done: list[tuple[str, ...]] = []
    for t in range(1, passes + 1):
        if t % every != 0:
            if t % 2 != 0:
                done.append((D,))
            else:
                done.append((SRM, MAIN))
        else:
            done.append((FRM,))
    return done


def slow_text(passes: int, every: int) -> list[tuple[str, ...]]:
    """Section 3.4: steps A to C K - 1 times, then step D."""
    done: list[tuple[str, ...]] = []
    while len(done) < passes:
        done += [(D, SRM, MAIN)] * (every - 1) + [(FRM,)]
    return done[:passes]


@pytest.mark.parametrize(("schedule", "slow"), [("algorithm", slow_algorithm), ("text", slow_text)])
@pytest.mark.parametrize("every", [3, 4, 5])
def test_the_two_schedules(
    schedule: str, slow: Callable[..., list[tuple[str, ...]]], every: int, options: Callable[..., Any]
) -> None:
    chosen = options(schedule=schedule, frm_every=every)
    assert [steps_of(t, chosen) for t in range(1, 31)] == slow(30, every)


def test_the_period_of_the_algorithm_is_ten(options: Callable[..., Any]) -> None:
    letters = {(D,): "D", (SRM, MAIN): "M", (FRM,): "R"}
    assert "".join(letters[steps_of(t, options())] for t in range(1, 21)) == 2 * "DMDMRMDMDR"


@pytest.mark.parametrize("schedule", ["algorithm", "text"])
def test_without_a_module_its_steps_are_left_out(schedule: str, options: Callable[..., Any]) -> None:
    def all_steps(**changes: str) -> set[str]:
        chosen = options(schedule=schedule, **changes)
        return {step for t in range(1, 11) for step in steps_of(t, chosen)}

    assert all_steps(srm="none", frm="none") == {D, MAIN}
    assert all_steps(srm="none") == {D, MAIN, FRM}
    assert all_steps(frm="none") == {D, SRM, MAIN}


# Which parameters each step moves.

MOVED = {
    D: {"discriminator"},
    SRM: {"srm_live", "srm_spoof"},
    MAIN: {"encoder", "classifier", "depth", "frm"},
    FRM: {"frm"},
}


def recorded_steps(drdg: DRDG) -> list[tuple[str, DRDG, Parameters, set[str]]]:
    """Return a list that takes up each step: name, a copy of the method before it, its gradients, networks moved."""
    steps: list[tuple[str, DRDG, Parameters, set[str]]] = []

    def before_for(name: str) -> Callable[..., None]:
        def before(*_: object) -> None:
            optimisers, drdg.optimisers = drdg.optimisers, {}
            steps.append((name, copy.deepcopy(drdg), {}, set()))
            drdg.optimisers = optimisers
            steps[-1][2].update({path: p.grad.clone() for path, p in drdg.named_parameters() if p.grad is not None})

        return before

    def after(*_: object) -> None:
        _, before, _, moved = steps[-1]
        for (path, old), new in zip(before.named_parameters(), drdg.parameters(), strict=True):
            if not torch.equal(old, new):
                moved.add(path.split(".")[0])

    for name, optimiser in drdg.optimisers.items():
        optimiser.register_step_pre_hook(before_for(name))
        optimiser.register_step_post_hook(after)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize(
    "variant",
    [{}, {"schedule": "text"}, {"srm": "none"}, {"frm": "none"}, {"srm": "none", "frm": "none"}, {"frm": "reverse"},
     {"srm": "reverse", "frm": "none"}, {"preset": "paper"}],
    ids=str,
)  # fmt: skip
def test_each_step_moves_its_own_networks_and_no_other(
    variant: dict[str, Any], make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    drdg, batch = make_drdg(**variant), make_batch()
    steps = recorded_steps(drdg)
    networks = {name for name, _ in drdg.named_children()}
    for drdg.batch_number in range(6):
        before = {name: p.detach().clone() for name, p in drdg.named_parameters()}
        first = len(steps)
        drdg.update(batch)
        assert [name for name, *_ in steps[first:]] == list(steps_of(drdg.batch_number + 1, drdg.options))
        moved = {n.split(".")[0] for n, p in drdg.named_parameters() if not torch.equal(before[n], p)}
        assert moved == set.union(*(networks & MOVED[name] for name, *_ in steps[first:]))
    for name, _, gradients, moved in steps:
        assert moved == networks & MOVED[name]
        assert {path.split(".")[0] for path in gradients} == moved


# The slow re-computation of each step's loss.


def two_layers(body: nn.Sequential, x: Tensor) -> Tensor:
    first, second = (layer for layer in body if isinstance(layer, nn.Linear))
    pooled = x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])
    return (pooled @ first.weight.T + first.bias).clamp(min=0) @ second.weight.T + second.bias


class Slow:
    """One step of DRDG, sample by sample, on a copy of the method from before the step."""

    def __init__(self, drdg: DRDG, batch: Batch) -> None:
        self.drdg, self.batch, self.options = drdg, batch, drdg.options
        self.samples = range(len(batch.live))
        self.groups = [batch] if drdg.setup.bn_batches == "mixed" else batch.by_domain()

    def features(self) -> list[Tensor]:
        """F_FRM of each group."""
        groups = []
        for group in self.groups:
            encoded = self.drdg.encoder(group.images).concat
            if self.options.frm != "none":
                exponents = two_layers(self.drdg.frm.body, encoded).exp()
                weights = exponents / exponents.sum(dim=1, keepdim=True)
                factor = encoded.shape[1] if self.options.channel_weights == "mean_one" else 1
                encoded = factor * weights[:, :, None, None] * encoded
            groups.append(encoded)
        return groups

    def log_d(self, features: Tensor, *, floored: bool = True) -> list[Tensor]:
        floor = self.options.likelihood_floor if floored else None
        probabilities = two_layers(self.drdg.discriminator, features).softmax(dim=1)
        chosen = [torch.log(probabilities[i, self.batch.domain[i]]) for i in self.samples]
        return chosen if floor is None else [value.clamp(min=math.log(floor)) for value in chosen]

    def weights(self, features: Tensor) -> list[Tensor]:
        """W of each sample."""
        live, spoof = (
            torch.sigmoid(two_layers(m.body, features)[:, 0]) for m in (self.drdg.srm_live, self.drdg.srm_spoof)
        )
        return [live[i] if self.batch.live[i] == 1 else spoof[i] for i in self.samples]

    def of_class(self, weights: list[Tensor], i: int) -> list[Tensor]:
        return [weights[j] for j in self.samples if self.batch.live[j] == self.batch.live[i]]

    def scaled(self, weights: list[Tensor]) -> list[Tensor]:
        if self.options.sample_weights == "raw":
            return weights
        return [weights[i] / (sum(self.of_class(weights, i)) / len(self.of_class(weights, i))) for i in self.samples]

    def loss(self, step: str) -> Tensor:
        n = len(self.batch.live)
        groups = self.features()
        features = torch.cat(groups)
        if step == D:
            return sum(-value for value in self.log_d(features, floored=False)) / n
        if step == SRM:
            weights = self.scaled(self.weights(features))
            return sum(w * value for w, value in zip(weights, self.log_d(features), strict=True)) / n
        if step == FRM:
            weights = [torch.ones(())] * n
            if self.options.srm != "none":
                raw = [w.detach() for w in self.weights(features)]
                weights = [
                    1 - raw[i] / (max(self.of_class(raw, i)) if self.options.sample_weights == "mean_one" else 1)
                    for i in self.samples
                ]
            sign = -1 if self.options.frm == "reverse" else 1
            return sign * sum(w * value for w, value in zip(weights, self.log_d(features), strict=True)) / n
        return self.main_loss(groups, features)

    def main_loss(self, groups: list[Tensor], features: Tensor) -> Tensor:
        n = len(self.batch.live)
        weights = [torch.ones(())] * n
        if self.options.srm != "none":
            raw = [w.detach() for w in self.weights(features)]
            weights = self.scaled([1 - w for w in raw] if self.options.srm == "reverse" else raw)
        live = torch.sigmoid(torch.cat([self.drdg.classifier(group) for group in groups]))
        depth = torch.cat([self.drdg.depth(group) for group in groups])
        known = [i for i in self.samples if self.batch.depth_known[i]]
        log_d = self.log_d(features)
        total = torch.zeros(())
        for i in self.samples:
            total = total - weights[i] * torch.log(live[i] if self.batch.live[i] == 1 else 1 - live[i]) / n
            total = total - self.options.adversarial_weight * weights[i] * (-log_d[i]) / n
        for i in known:
            error = (depth[i] - self.batch.depth[i]).square().mean()
            total = total + self.options.depth_weight * weights[i] * error / len(known)
        return total


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "two domains": {"n_domains": 2},
    "five domains": {"n_domains": 5},
    "mixed batches": {"bn_batches": "mixed"},
    "text": {"schedule": "text"},
    "paper": {"preset": "paper"},
    "likelihood below its floor": {"likelihood_floor": 0.4},
    "baseline": {"srm": "none", "frm": "none"},
    "baseline FRM": {"srm": "none"},
    "baseline FRM reverse": {"srm": "none", "frm": "reverse"},
    "baseline SRM": {"frm": "none"},
    "baseline SRM reverse": {"srm": "reverse", "frm": "none"},
}


def run_all_steps(drdg: DRDG, batch: Batch) -> list[tuple[str, DRDG, Parameters, set[str]]]:
    steps = recorded_steps(drdg)
    for drdg.batch_number in range(5):
        drdg.update(batch)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_step_equals_the_slow_recomputation(
    variant: dict[str, Any], make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    drdg, batch = make_drdg(**variant), make_batch(variant.get("n_domains", 3))
    seen = set()
    for name, before, gradients, _ in run_all_steps(drdg, batch):
        seen.add(name)
        parameters = dict(before.named_parameters())
        slow = torch.autograd.grad(
            Slow(before, batch).loss(name), [parameters[path] for path in gradients], materialize_grads=True
        )
        for (path, ours), value in zip(gradients.items(), slow, strict=True):
            assert (ours - value).norm() <= 1e-8 * value.norm() + 1e-11, (name, path)
    assert seen == set(drdg.optimisers)


@pytest.mark.parametrize(
    ("change", "affected"),
    [
        ({"sample_weights": "raw"}, {SRM, MAIN, FRM}),
        ({"channel_weights": "softmax"}, {D, SRM, MAIN, FRM}),
        ({"adversarial_weight": 0.2}, {MAIN}),
        ({"depth_weight": 9.0}, {MAIN}),
        ({"likelihood_floor": 0.9}, {SRM, MAIN, FRM}),
        ({"srm": "reverse"}, {MAIN}),
        ({"frm": "reverse"}, {FRM}),
    ],
    ids=lambda value: str(sorted(value)),
)
def test_the_recomputation_notices_every_option(
    change: dict[str, Any], affected: set[str], make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    wrong = set()
    for name, before, gradients, _ in run_all_steps(make_drdg(), batch):
        slow = Slow(before, batch)
        slow.options = slow.options.model_copy(update=change)
        parameters = dict(before.named_parameters())
        values = torch.autograd.grad(
            slow.loss(name), [parameters[path] for path in gradients], allow_unused=True, materialize_grads=True
        )
        if any(
            (ours - value).norm() > 1e-6 * ours.norm() + 1e-11
            for ours, value in zip(gradients.values(), values, strict=True)
        ):
            wrong.add(name)
    assert wrong == affected


# Directions.


def trained_discriminator(make_drdg: Callable[..., DRDG], batch: Batch, **options: Any) -> DRDG:
    """Make a DRDG whose discriminator knows some samples' domains well and others' badly."""
    drdg = make_drdg(discriminator_learning_rate=5e-3, reweighting_learning_rate=5e-3, **options)
    features = frozen_features(drdg, batch)
    for _ in range(100):
        drdg.discriminator_step(features, batch)
    return drdg


@torch.no_grad()
def frozen_features(drdg: DRDG, batch: Batch) -> Tensor:
    return torch.cat([drdg.reweighted(drdg.encoder(group.images).concat) for group in drdg.groups(batch)])


def test_srm_raises_the_weight_of_samples_whose_domain_is_hard_to_tell(
    make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(per_class=4)
    drdg = trained_discriminator(make_drdg, batch)
    features = frozen_features(drdg, batch)
    for _ in range(60):
        drdg.srm_step(features, batch)
    with torch.no_grad():
        weight, log_likelihood = drdg.weight(features, batch), drdg.log_likelihood(features, batch)
    for is_class in (batch.live == 1, batch.live == 0):
        order = log_likelihood[is_class].argsort()  # hardest first
        hard, easy = weight[is_class][order[:4]], weight[is_class][order[-4:]]
        assert hard.mean() > easy.mean() + 0.01


@pytest.mark.parametrize(("frm", "sign"), [("normal", 1), ("reverse", -1)])
def test_frm_lowers_what_the_discriminator_knows_and_its_reverse_raises_it(
    frm: str, sign: int, make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(per_class=4)
    drdg = trained_discriminator(make_drdg, batch, frm=frm, srm="none")
    with torch.no_grad():
        encoded = torch.cat([drdg.encoder(group.images).concat for group in drdg.groups(batch)])

    def likelihood_and_accuracy() -> tuple[float, float]:
        with torch.no_grad():
            logits = drdg.discriminator(drdg.frm(encoded))
            likelihood = drdg.log_likelihood(drdg.frm(encoded), batch).mean().item()
        return likelihood, (logits.argmax(dim=1) == batch.domain).double().mean().item()

    before = likelihood_and_accuracy()
    for _ in range(60):
        drdg.frm_step(drdg.frm(encoded), batch)
    after = likelihood_and_accuracy()
    assert sign * (before[0] - after[0]) > 0.01
    if frm == "normal":
        assert after[1] < before[1]


def test_the_main_step_lowers_what_the_discriminator_knows(
    make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(per_class=4)
    drdg = trained_discriminator(make_drdg, batch, adversarial_weight=10.0)
    known = []
    for drdg.batch_number in (1, 3, 5):
        known.append(drdg.update(batch)["domain_cross_entropy"])
    assert known[0] < known[1] < known[2]


def test_reverse_weights_prefer_what_normal_ones_avoid(
    make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    normal, reverse = make_drdg(), make_drdg(srm="reverse")
    features = frozen_features(normal, batch)
    weights = [drdg.main_weight(features, batch) for drdg in (normal, reverse)]
    for is_class in (batch.live == 1, batch.live == 0):
        assert [w[is_class].mean().item() for w in weights] == pytest.approx([1, 1])
        assert weights[0][is_class].argsort().tolist() == weights[1][is_class].argsort(descending=True).tolist()
    frm_weight = normal.frm_weight(features, batch)
    assert frm_weight.min() == 0
    assert frm_weight.max() < 1


# State, learning, collapse, mistakes.


def test_a_resumed_run_is_the_same_to_the_bit(make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]) -> None:
    drdg, batches = make_drdg(), [make_batch(seed=seed) for seed in range(10)]
    for drdg.batch_number in range(4):
        drdg.update(batches[drdg.batch_number])
    resumed = make_drdg()
    resumed.load_state_dict(copy.deepcopy(drdg.state_dict()))
    for name, optimiser in resumed.optimisers.items():
        optimiser.load_state_dict(copy.deepcopy(drdg.optimisers[name].state_dict()))
    for each in (drdg, resumed):
        for each.batch_number in range(4, 10):
            each.update(batches[each.batch_number])
    for (name, value), (_, again) in zip(drdg.state_dict().items(), resumed.state_dict().items(), strict=True):
        assert torch.equal(value, again), name


@pytest.mark.parametrize(
    ("n_domains", "per_class", "passes"), [(2, 4, 60), pytest.param(4, 2, 150, marks=pytest.mark.slow)]
)
def test_training_on_sixteen_samples_learns_them(
    n_domains: int, per_class: int, passes: int, make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    drdg, batch = make_drdg(n_domains, "mixed", learning_rate=5e-3), make_batch(n_domains, per_class)
    for drdg.batch_number in range(passes):
        drdg.update(batch)
    scores = drdg.eval().score(batch.images)
    assert scores[batch.live == 1].min() > 0.5 > scores[batch.live == 0].max()


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_score_is_of_one_frame_and_needs_no_srm(
    preset: str, make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]
) -> None:
    drdg, images = make_drdg(preset=preset).eval(), make_batch().images
    with torch.no_grad():
        together = drdg.score(images)
        for module in (drdg.srm_live, drdg.srm_spoof, drdg.discriminator):
            for parameter in module.parameters():
                parameter.fill_(math.nan)
        alone = torch.cat([drdg.score(image[None]) for image in images])
    torch.testing.assert_close(together, alone)


def test_each_step_tells_what_it_did(make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]) -> None:
    drdg, batch = make_drdg(schedule="text"), make_batch()
    features = frozen_features(drdg, batch)
    report = drdg.update(batch)
    assert 0 <= report["discriminator_accuracy"] <= 1
    fresh = make_drdg()
    logits = fresh.discriminator(features)
    correct = sum(int(row.argmax()) == int(k) for row, k in zip(logits, batch.domain, strict=True))
    assert report["discriminator_accuracy"] == pytest.approx(correct / len(batch.live))
    for word, is_class in (("live", batch.live == 1), ("spoof", batch.live == 0)):
        weights = fresh.weight(features, batch)[is_class].tolist()
        mean = sum(weights) / len(weights)
        spread = math.sqrt(sum((w - mean) ** 2 for w in weights) / len(weights))
        assert report[f"weight_{word}_mean"] == pytest.approx(mean)
        assert report[f"weight_{word}_spread"] == pytest.approx(spread)
    drdg.batch_number = 4
    assert drdg.update(batch).keys() == {"frm_loss"}


def test_collapsed_weights_warn_once(
    make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch], caplog: pytest.LogCaptureFixture
) -> None:
    drdg, live = make_drdg(), make_batch().live
    batch = make_batch()
    equal, lonely = torch.full_like(live, 0.999), torch.full_like(live, 1e-6)
    lonely[0] = 1.0
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        drdg.describe(0.5 + 0.4 * torch.rand_like(live), batch)
        assert caplog.records == []
        for weight in (equal, equal, lonely):
            drdg.describe(weight, batch)
    starts = [record.message.split(" at iteration")[0] for record in caplog.records]
    assert starts[:2] == [f"drdg: SRM weighs all {word} samples alike (0.9990)" for word in ("live", "spoof")]
    assert starts[2:] == ["drdg: 1.0 of 6 live samples carry all the weight"]


def test_a_discriminator_fooled_beyond_chance_warns_once(
    make_drdg: Callable[..., DRDG], caplog: pytest.LogCaptureFixture
) -> None:
    drdg = make_drdg()
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        for cross_entropy in (1.0, 2.1, 2.3, 2.4):  # chance is log 3 = 1.10
            drdg.watch_discriminator(cross_entropy)
    assert [record.message[:52] for record in caplog.records] == [
        "drdg: the discriminator's cross-entropy is 2.30 at i"
    ]


def test_mistakes_of_a_user(make_drdg: Callable[..., DRDG], make_batch: Callable[..., Batch]) -> None:
    with pytest.raises(UserError, match="at least 2 source domains"):
        make_drdg(n_domains=1)
    for schedule, every in (("algorithm", 2), ("text", 1)):
        with pytest.raises(UserError, match=r"options\.frm_every"):
            make_drdg(schedule=schedule, frm_every=every)
        make_drdg(schedule=schedule, frm_every=every, frm="none")
    make_drdg(schedule="text", frm_every=2)
    with pytest.raises(UserError, match="srm"):
        make_drdg(srm="backwards")
    drdg = make_drdg()
    drdg.discriminator[4].bias.data.fill_(math.nan)
    with pytest.raises(NonFiniteLossError):
        drdg.update(make_batch())


def test_an_iteration_is_one_update_of_the_encoder(make_drdg: Callable[..., DRDG]) -> None:
    """Algorithm 1 with K = 5 goes D, M, D, M, R, M, D, M, D, R: four updates of the encoder in ten passes."""
    drdg = make_drdg()
    assert [list(drdg.batches_of(k)) for k in range(5)] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9, 10, 11]]
    for options in ({"schedule": "text"}, {"frm": "none"}, {"frm_every": 3}):
        other = make_drdg(**options)
        numbers = [list(other.batches_of(k)) for k in range(12)]
        assert [number for part in numbers for number in part] == list(range(numbers[-1][-1] + 1))
        for part in numbers:
            updates = ["main" in steps_of(number + 1, other.options) for number in part]
            assert updates == [False] * (len(part) - 1) + [True]
