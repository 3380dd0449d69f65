"""Self-DA: its meta-step by hand and by finite differences, and its adaptation to a target."""

import copy
import logging

import pytest
import torch
from method_checks import assert_resumes_identically, build, gradient_error, make_batch, step
from torch.nn import functional as F

from dgfas.core.errors import UserError
from dgfas.methods.base import Method
from dgfas.networks.adaptor import ResidualAdaptor
from dgfas.networks.encoder import Features


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_works_with_any_number_of_sources(n_domains, bn_batches):
    logged = step(build("self_da", n_domains=n_domains, bn_batches=bn_batches), make_batch(n_domains), 0)
    assert logged["orthogonality"] == pytest.approx(0, abs=1e-6)


def test_refuses_a_single_source():
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("self_da", n_domains=1)


def test_is_marked_as_using_target_images():
    assert build("self_da").uses_target_images
    assert not Method.uses_target_images


def test_adaptor_adds_a_mix_of_channels_place_by_place():
    adaptor = ResidualAdaptor(6).double()
    concat = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    out = adaptor(Features(concat[:, 4:], concat))
    matrix, bias = adaptor.convolution.weight[:, :, 0, 0], adaptor.convolution.bias
    for i in range(3):
        expected = concat[1, :, i, 2] + matrix @ concat[1, :, i, 2] + bias
        assert torch.allclose(out.concat[1, :, i, 2], expected)
    assert torch.equal(out.last, out.concat[:, 4:])


def test_last_features_are_the_last_of_all():
    method = build("self_da")
    features = method.encoder(make_batch().images)
    assert torch.equal(features.last, features.concat[:, -features.last.shape[1] :])


def test_losses_equal_a_step_by_hand():
    batch = make_batch(dtype=torch.float64)
    method, twin = build("self_da").double(), build("self_da").double()
    meta_train, meta_test, undecided = method.losses(batch)
    domains = batch.by_domain()
    *train, test = method.shared_rng("meta split").permutation(3)

    def supervised(k):
        features = twin.adaptor(twin.encoder(domains[k].images))
        depth = (twin.depth(features.concat) - domains[k].depth).square().mean()
        logit = twin.classifier(features.last)
        return F.binary_cross_entropy_with_logits(logit, domains[k].live) + 10 * depth

    assert torch.allclose(meta_train, sum(supervised(k) for k in train) / 2)
    p = torch.sigmoid(twin.classifier(twin.adaptor(twin.encoder(domains[test].images)).last))
    entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    w = twin.adaptor.convolution.weight.flatten(1)
    loss = entropy + 0.1 * (w @ w.T - torch.eye(len(w), dtype=torch.float64)).square().sum() / len(w)
    assert torch.allclose(undecided, loss)
    loss.backward()
    with torch.no_grad():
        for parameter in twin.adaptor.parameters():
            parameter -= 0.1 * parameter.grad
    assert torch.allclose(meta_test, supervised(test))


def test_an_update_steps_on_the_sum_of_its_losses():
    batch = make_batch(dtype=torch.float64)
    method, twin = (build("self_da", orthogonality_weight=0.3).double() for _ in range(2))
    stepped = []
    method.minimise = lambda loss, _: stepped.append(loss)
    for each in (method, twin):
        torch.nn.init.normal_(each.adaptor.convolution.weight, generator=torch.Generator().manual_seed(0))
    method.update(batch)
    meta_train, meta_test, _ = twin.losses(batch)
    w = twin.adaptor.convolution.weight.flatten(1)
    orthogonality = (w @ w.T - torch.eye(len(w), dtype=torch.float64)).square().sum() / len(w)
    assert 0.3 * orthogonality > 0.01
    loss = meta_train + meta_test + 0.3 * orthogonality
    assert torch.allclose(stepped[0], loss)
    slow = torch.autograd.grad(loss, list(twin.parameters()))
    ours = torch.autograd.grad(stepped[0], list(method.parameters()))
    for (name, _), value, expected in zip(method.named_parameters(), ours, slow, strict=True):
        assert torch.allclose(value, expected, atol=1e-12), name


@pytest.mark.parametrize(("order", "agrees"), [("second", True), ("first", False)])
def test_gradient_agrees_with_finite_differences_in_second_order_only(order, agrees):
    batch = make_batch(dtype=torch.float64)
    method = build("self_da", inner_step_size=0.1, order=order).double()
    error = gradient_error(lambda: method.losses(batch)[1], method.classifier.parameters())
    assert (error < 1e-5) if agrees else (error > 1e-3)
    if agrees:
        assert gradient_error(lambda: method.losses(batch)[1], method.parameters()) < 1e-4


def trained(**options):
    method = build("self_da", n_domains=2, iterations=12, **options)
    for iteration in range(12):
        step(method, make_batch(2, seed=iteration), iteration)
    method.eval()
    return method


def mean_entropy(method, images):
    with torch.no_grad():
        p = method.score(images).clamp(1e-6, 1 - 1e-6)
    return -(p * p.log() + (1 - p) * (1 - p).log()).mean().item()


def test_adapting_lowers_the_entropy_on_the_target_and_leaves_the_state_alone():
    method = trained()
    target = make_batch(1, per_class=8, seed=99).images * 0.7
    state = copy.deepcopy(method.state_dict())
    before = mean_entropy(method, target)
    method.adapt_to(target.split(5))
    assert mean_entropy(method, target) < before
    assert not method.training
    for name, value in method.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_the_order_of_the_chunks_does_not_matter_and_every_target_starts_anew():
    method = trained()
    first, second = make_batch(1, per_class=4, seed=5).images.split(4)
    method.adapt_to([first, second])
    scores = method.score(first)
    method.adapt_to([second])
    method.adapt_to([second, first])
    assert torch.allclose(method.score(first), scores, atol=1e-5)


def test_no_chunks_another_checkpoint_and_training_forget_the_target():
    method, batch = trained(), make_batch(2)
    plain = method.score(batch.images)
    forgets = {
        "no chunks": lambda: method.adapt_to([]),
        "checkpoint": lambda: method.load_state_dict(method.state_dict()),
    }
    for forget in forgets.values():
        method.adapt_to([batch.images * 0.5])
        assert not torch.equal(method.score(batch.images), plain)
        forget()
        assert torch.equal(method.score(batch.images), plain)
    method.adapt_to([batch.images])
    step(method, batch, 0)
    assert method.adapted == {}


def test_adapting_works_where_scoring_happens():
    method, batch = trained(), make_batch(2)
    with torch.inference_mode():
        method.adapt_to([batch.images.clone()])
        assert method.score(batch.images).shape == (8,)


def test_collapse_is_said_when_adapting_brings_it(caplog):
    method, images = trained(), make_batch(2).images
    with torch.no_grad():  # put the border of the classes in the middle of the frames
        logits = method.classifier(method.adaptor(method.encoder(images)).last).sort().values
        method.classifier.output.bias -= (logits[3] + logits[4]) / 2
    assert method.count_live(method.encoder(images), {}) == 4
    with caplog.at_level(logging.WARNING, "dgfas"):
        method.adapt_to([images])
        assert not caplog.records
        method.unsupervised = lambda features: -1e3 * method.classifier(method.adaptor(features).last).mean()
        method.adapt_to([images])
    assert "adapting put the target into one class (4 of 8 frames were called live before, 8 after)" in caplog.text
    caplog.clear()
    torch.nn.init.constant_(method.classifier.output.bias, 50.0)  # called live before adapting: not its doing
    with caplog.at_level(logging.WARNING, "dgfas"):
        method.adapt_to([images])
    assert not caplog.records


def test_resumes_bit_identically():
    assert_resumes_identically(lambda: build("self_da"), iterations=4, stop_at=2)
