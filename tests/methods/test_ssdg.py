"""SSDG: its loss by hand, which side is aligned, its two normalisations, its two backbones."""

import logging
import sys
from types import ModuleType

import pytest
import torch
from method_checks import assert_resumes_identically, build, make_batch, step
from torch import nn
from torch.nn import functional as F

from dgfas.core.errors import UserError
from dgfas.losses.adversarial import reversal_strength
from dgfas.losses.triplet import batch_all_triplet
from dgfas.networks.discriminators import EmbeddingDiscriminator


@pytest.mark.parametrize("n_domains", [2, 3, 5])
@pytest.mark.parametrize("preset", ["default", "paper", "released"])
def test_works_with_any_number_of_sources(n_domains, preset):
    logged = step(build("ssdg", preset, n_domains), make_batch(n_domains), 0)
    assert 0 <= logged["discriminator_accuracy"] <= 1


def test_mixed_batches_work():
    step(build("ssdg", bn_batches="mixed"), make_batch(), 0)


def without_dropout(method):
    method.train()
    for module in method.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    return method


def test_loss_equals_its_three_terms_by_loops():
    method, batch = (
        without_dropout(build("ssdg", triplet_weight=2.0, adversarial_weight=0.3).double()),
        make_batch(dtype=torch.float64),
    )
    twin = without_dropout(build("ssdg").double())
    method.iteration = 5
    logged = method.update(batch)

    embedding = torch.cat([twin.embed(part.images) for part in batch.by_domain()])
    assert torch.allclose(embedding.norm(dim=1), torch.ones(12, dtype=torch.float64))
    weights = [row / row.norm() for row in twin.classifier.weight]
    classification = 0.0
    groups = []
    for frame in range(12):
        cosines = torch.stack([weight @ embedding[frame] for weight in weights])
        right = int(batch.live[frame])
        classification -= torch.log(cosines.exp()[right] / cosines.exp().sum()).item() / 12
        groups.append(0 if right else int(batch.domain[frame]) + 1)
    triplet = batch_all_triplet(embedding, torch.tensor(groups), 0.1).item()
    live = [frame for frame in range(12) if batch.live[frame] == 1]
    adversarial = F.cross_entropy(twin.discriminator(embedding[live]), batch.domain[live]).item()
    assert sorted(groups) == [0] * 6 + [1, 1, 2, 2, 3, 3]
    assert logged["classification_loss"] == pytest.approx(classification)
    assert logged["triplet_loss"] == pytest.approx(triplet)
    assert logged["domain_loss"] == pytest.approx(adversarial)
    assert logged["loss"] == pytest.approx(classification + 2 * triplet + 0.3 * adversarial)


def gradients_of_update(method, batch, iteration):
    """The gradients that `update` hands to the optimiser."""
    caught = {}
    optimiser = method.optimiser
    optimiser.step = lambda: caught.update({n: p.grad.clone() for n, p in method.named_parameters()})
    method.iteration = iteration
    torch.manual_seed(0)
    method.update(batch)
    return caught


def test_the_embedder_climbs_what_the_discriminator_descends():
    batch, iteration = make_batch(dtype=torch.float64), 10
    with_, without = (
        gradients_of_update(build("ssdg", adversarial_weight=weight, triplet_weight=0.0).double(), batch, iteration)
        for weight in (0.5, 0.0)
    )
    method = build("ssdg").double()
    torch.manual_seed(0)
    embedding = torch.cat([method.embed(part.images) for part in batch.by_domain()])
    live = batch.live == 1
    plain = F.cross_entropy(method.discriminator(embedding[live]), batch.domain[live])
    chosen = dict(method.named_parameters())
    expected = dict(zip(chosen, torch.autograd.grad(plain, list(chosen.values()), allow_unused=True), strict=True))
    strength = reversal_strength(iteration / method.setup.iterations)
    assert 0.9 < strength < 1
    name = "embedder.bottleneck.0.weight"
    assert torch.allclose(with_[name] - without[name], -0.5 * strength * expected[name])
    name = "discriminator.0.weight"
    assert torch.allclose(with_[name], 0.5 * expected[name])


def test_spoofs_do_not_meet_the_discriminator():
    batch = make_batch()
    changed_spoofs = make_batch()
    changed_spoofs.images[batch.live == 0] = 0.5
    losses = []
    for frames in (batch, changed_spoofs):
        method = build("ssdg")
        method.eval()  # running statistics, so that frames do not mix
        losses.append(method.update(frames)["domain_loss"])
    assert losses[0] == losses[1]


def test_half_power_normalisation_is_the_released_one():
    method = build("ssdg", "released")
    method.eval()
    images = make_batch().images
    raw = method.embedder(method.generator(_imagenet(images)).last)
    for row, result in zip(raw, method.embed(images), strict=True):
        norm = sum(value**2 for value in row.tolist()) ** 0.5
        assert torch.allclose(result, row / (norm**0.5 * 2**0.5), atol=1e-6)
    step(method, make_batch(), 0)
    assert torch.allclose(method.classifier.weight.norm(dim=0), torch.ones(method.classifier.in_features))


def _imagenet(images):
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    return (images[:, :3] - mean) / std


def test_released_rate_drops_to_a_tenth():
    method = build("ssdg", "released", iterations=40)
    rates = []
    for iteration in (0, 14, 15, 39):
        step(method, make_batch(), iteration)
        rates.append(method.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])


def test_discriminator_has_the_published_size():
    assert sum(p.numel() for p in EmbeddingDiscriminator(512, 3).parameters()) == 264_195


def test_collapse_is_said_once(caplog):
    method = build("ssdg")
    batch = make_batch()
    nn.init.constant_(method.embedder.bottleneck[0].weight, 0.0)
    nn.init.constant_(method.embedder.bottleneck[0].bias, 1.0)
    with caplog.at_level(logging.WARNING, "dgfas"):
        for _ in range(2):
            method.spread(without_dropout(method).embed(batch.images).detach())
    assert [record.message[:34] for record in caplog.records] == ["ssdg: all embeddings coincide at i"]


@pytest.mark.parametrize("preset", ["default", "released"])
def test_resumes_bit_identically(preset):
    assert_resumes_identically(lambda: build("ssdg", preset), iterations=4, stop_at=2)


def residual_block(inputs, outputs, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def small_resnet18(weights=None):
    """Modules under torchvision's names, with one block a layer."""
    assert weights is None
    network = nn.Module()
    network.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
    network.bn1, network.relu, network.maxpool = nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    for number, (inputs, outputs) in enumerate([(64, 64), (64, 128), (128, 256), (256, 512)], start=1):
        setattr(network, f"layer{number}", residual_block(inputs, outputs, 1 if number == 1 else 2))
    network.avgpool, network.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(512, 1000)
    return network


@pytest.fixture
def torchvision(monkeypatch):
    """Stand in for torchvision, which the tests do not need."""
    package, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    models.resnet18 = small_resnet18
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


R = {"backbone": "resnet18", "input": "rgb"}


def test_r_without_weights_is_refused():
    with pytest.raises(UserError, match=r"options\.imagenet_weights .* or options\.pretrained=false"):
        build("ssdg", **R)


def test_r_without_torchvision_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(UserError, match=r"pip install 'dgfas\[backbones\]'"):
        build("ssdg", **R, pretrained=False)


def test_r_reads_three_channels():
    with pytest.raises(UserError, match=r"options\.input=rgb"):
        build("ssdg", backbone="resnet18", pretrained=False)


@pytest.mark.usefixtures("torchvision")
def test_r_starts_without_weights_when_told_so():
    method = build("ssdg", **R, pretrained=False)
    logged = step(method, make_batch(), 0)
    assert logged["loss"] > 0
    assert method.score(make_batch().images).shape == (12,)


@pytest.mark.usefixtures("torchvision")
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("counters", [True, False])  # torchvision's file of 2017 has none
def test_r_loads_imagenet_weights_before_its_first_iteration_only(tmp_path, suffix, counters):
    from safetensors.torch import save_file

    torch.manual_seed(7)
    source = small_resnet18()
    path = tmp_path / f"resnet18{suffix}"
    weights = {name: w for name, w in source.state_dict().items() if counters or "num_batches" not in name}
    (torch.save if suffix == ".pth" else save_file)(weights, path)
    method = build("ssdg", **R, imagenet_weights=path)
    method.start()
    assert torch.equal(method.generator.layer3[0].weight, source.layer3[0].weight)
    path.unlink()  # a resumed run and a scored checkpoint do not need the file
    method.iteration = 1
    method.start()


@pytest.mark.usefixtures("torchvision")
@pytest.mark.parametrize("content", [b"", b"not weights", None])
def test_r_refuses_other_files(tmp_path, content):
    path = tmp_path / "weights.pth"
    if content is None:
        torch.save({"conv1.weight": torch.zeros(1)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"weights\.pth"):
        step(build("ssdg", **R, imagenet_weights=path), make_batch(), 0)
