"""MLDG: its objective by hand, its second-order gradient, its split."""

import pytest
import torch
from method_checks import (
    assert_resumes_identically,
    build,
    gradient_error,
    make_batch,
    step,
)
from torch.nn.functional import binary_cross_entropy_with_logits

from dgfas.core.errors import UserError
from dgfas.data.batches import join


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_works_with_any_number_of_sources(n_domains, bn_batches):
    method = build("mldg", n_domains=n_domains, bn_batches=bn_batches)
    for iteration in range(2):
        logged = step(method, make_batch(n_domains), iteration)
    assert set(logged) == {"meta_train_loss", "meta_test_loss"}


def test_refuses_a_single_source():
    with pytest.raises(UserError, match="at least 2 source domains"):
        build("mldg", n_domains=1)


def test_refuses_to_recompute_an_encoder_that_it_adapts():
    with pytest.raises(UserError, match=r"network\.checkpoint_activations: method MLDG.*set it to false"):
        build("mldg", checkpoint_activations=True)
    build("mldg", checkpoint_activations=True, inner="classifier")


def test_losses_equal_a_hand_written_step():
    method = build("mldg", inner_step_size=0.1).double()
    batch = make_batch(dtype=torch.float64)
    meta_train, meta_test = method.losses(batch)

    order = method.shared_rng("meta split").permutation(3)
    domains = batch.by_domain()
    twin = build("mldg", inner_step_size=0.1).double()
    by_hand = 0.0
    for k in order[1:]:
        by_hand = by_hand + binary_cross_entropy_with_logits(twin.network(domains[k].images), domains[k].live) / 2
    assert torch.allclose(meta_train, by_hand)
    by_hand.backward()
    with torch.no_grad():
        for parameter in twin.network.parameters():
            parameter -= 0.1 * parameter.grad
    test = domains[order[0]]
    assert torch.allclose(meta_test, binary_cross_entropy_with_logits(twin.network(test.images), test.live))


@pytest.mark.parametrize("inner", ["everything", "classifier"])
def test_second_order_gradient_agrees_with_finite_differences_and_first_order_does_not(inner):
    batch = make_batch(dtype=torch.float64)
    for order, agrees in (("second", True), ("first", False)):
        method = build("mldg", inner_step_size=0.1, inner=inner, order=order).double()
        error = gradient_error(lambda method=method: method.losses(batch)[1], method.network.parameters())
        assert (error < 1e-5) if agrees else (error > 0.1)


def test_inner_classifier_leaves_the_encoder_where_it_is():
    method = build("mldg", inner="classifier")
    assert method.adapted_names
    assert all(name.startswith("classifier.") for name in method.adapted_names)
    assert len(build("mldg").adapted_names) == len(list(method.network.parameters()))


def test_every_source_is_held_out_sometimes():
    method, batch = build("mldg"), make_batch()
    classification, held_out = method.classification, set()

    def spied(part, parameters):
        if parameters:
            held_out.add(tuple(part.domain.unique().tolist()))
        return classification(part, parameters)

    method.classification = spied
    for method.iteration in range(20):
        method.losses(batch)
    assert held_out == {(0,), (1,), (2,)}


def test_mixed_batches_go_through_in_one_forward():
    batch = make_batch(dtype=torch.float64)
    method = build("mldg", bn_batches="mixed").double()
    meta_train, _ = method.losses(batch)
    order = method.shared_rng("meta split").permutation(3)
    joined = join([batch.by_domain()[k] for k in order[1:]])
    twin = build("mldg").double()
    assert torch.allclose(meta_train, binary_cross_entropy_with_logits(twin.network(joined.images), joined.live))


def test_resumes_bit_identically():
    assert_resumes_identically(lambda: build("mldg"), iterations=4, stop_at=2)
