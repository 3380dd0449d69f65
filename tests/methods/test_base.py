"""What every method inherits: stepping, averaging across processes, grouping for batch normalisation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from method_checks import build, make_batch, step
from torch import Tensor, nn

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.data.batches import Batch, join
from dgfas.methods.base import Method, MethodOptions, NonFiniteLossError, Setup
from dgfas.methods.registry import method_names
from dgfas.networks.encoder import Encoder

NETWORK = NetworkConfig(image_size=32, width=0.125)


class TwoNumbers(Method):
    """Two parameters with an optimiser each."""

    least_domains = 2

    def __init__(self, setup: Setup) -> None:
        super().__init__(MethodOptions(learning_rate=1.0), setup)
        self.first, self.second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        for optimiser in ("first", "second"):
            self.optimisers[optimiser] = torch.optim.SGD(getattr(self, optimiser).parameters(), lr=0.5)

    def update(self, batch: Batch) -> dict[str, float]:
        raise NotImplementedError

    def score(self, images: Tensor) -> Tensor:
        raise NotImplementedError


@pytest.fixture
def method() -> TwoNumbers:
    two = TwoNumbers(Setup(NETWORK, 2, 10))
    nn.init.constant_(two.first.weight, 2.0)
    nn.init.constant_(two.second.weight, 3.0)
    return two


def product(method: TwoNumbers) -> Tensor:
    return (method.first.weight * method.second.weight).sum()


def test_minimise_steps_its_own_parameters_only(method: TwoNumbers) -> None:
    method.minimise(product(method), method.optimisers["first"])
    assert method.first.weight.item() == 2.0 - 0.5 * 3.0
    assert method.second.weight.item() == 3.0
    assert method.first.weight.grad is None
    assert method.second.weight.grad is None


def test_minimise_frees_the_graph(method: TwoNumbers) -> None:
    loss = product(method)
    method.minimise(loss, method.optimisers["first"])
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        method.minimise(loss, method.optimisers["second"])


def test_minimise_steps_on_the_average_of_the_processes(method: TwoNumbers) -> None:
    def halve(gradients: list[Tensor]) -> None:
        for gradient in gradients:
            gradient.mul_(0.5)

    method.average = halve
    method.minimise(product(method), method.optimisers["first"])
    assert method.first.weight.item() == 2.0 - 0.5 * 1.5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_not_stepped_on(method: TwoNumbers, value: float) -> None:
    method.iteration = 17
    with pytest.raises(NonFiniteLossError, match=f"the loss is {value} at iteration 17"):
        method.minimise(product(method) * value, method.optimisers["first"])
    assert method.first.weight.item() == 2.0


def test_too_few_domains_are_refused() -> None:
    with pytest.raises(UserError, match="TwoNumbers needs at least 2 source domains, the data give 1"):
        TwoNumbers(Setup(NETWORK, 1, 10))


def test_shared_random_numbers_depend_on_seed_purpose_and_iteration_only(method: TwoNumbers) -> None:
    def draw(seed: int, purpose: str, iteration: int) -> float:
        other = TwoNumbers(Setup(NETWORK, 2, 10, seed=seed))
        other.iteration = iteration
        return float(other.shared_rng(purpose).random())

    assert draw(1, "split", 5) == draw(1, "split", 5)
    assert len({draw(1, "split", 5), draw(2, "split", 5), draw(1, "other", 5), draw(1, "split", 6)}) == 4


@pytest.mark.parametrize(("bn_batches", "sizes"), [("per_domain", [4, 4, 4]), ("mixed", [12])])
def test_groups_go_through_the_networks_together(
    bn_batches: str, sizes: list[int], make_batch: Callable[..., Batch]
) -> None:
    method = TwoNumbers(Setup(NETWORK, 3, 10, bn_batches))
    groups = method.groups(make_batch())
    assert [len(group.live) for group in groups] == sizes
    assert torch.equal(join(groups).row, torch.arange(12))


@pytest.mark.parametrize("bn_batches", ["per_domain", "mixed"])
def test_encode_normalises_by_domain_or_by_batch(bn_batches: str, make_batch: Callable[..., Batch]) -> None:
    method, encoder, batch = TwoNumbers(Setup(NETWORK, 3, 10, bn_batches)), Encoder(NETWORK).double(), make_batch()
    features = method.encode(encoder, batch)
    assert [len(part.last) for part in features] == [4, 4, 4]
    alone = encoder(batch.images[4:8])
    together = encoder(batch.images)
    expected = alone.last if bn_batches == "per_domain" else together.last[4:8]
    torch.testing.assert_close(features[1].last, expected)
    torch.testing.assert_close(features[1].concat, alone.concat if bn_batches == "per_domain" else together.concat[4:8])
    assert not torch.allclose(alone.last, together.last[4:8])


@pytest.mark.slow
@pytest.mark.parametrize("name", method_names())
def test_recomputing_activations_changes_no_update_or_is_refused(name: str) -> None:
    plain, batch = build(name), make_batch()
    if plain.adapts_encoder:
        with pytest.raises(UserError, match=r"network\.checkpoint_activations: method .* set it to false"):
            build(name, checkpoint_activations=True)
        return
    saving = build(name, checkpoint_activations=True)
    logs = [step(method, batch, iteration) for method in (plain, saving) for iteration in range(2)]
    assert logs[1] == pytest.approx(logs[3], rel=1e-4, abs=1e-6)
    expected = plain.state_dict()
    for key, value in saving.state_dict().items():
        torch.testing.assert_close(value, expected[key], rtol=1e-4, atol=1e-6, msg=key)
