"""Checkpoints: they come back whole, and a wrong one says what is wrong."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.methods.base import Method, Setup
from dgfas.methods.registry import load_method, method_options, preset_values
from dgfas.training.checkpoint import read_checkpoint, write_checkpoint


def make(name: str, width: float = 0.1, seed: int = 0) -> Method:
    torch.manual_seed(seed)
    network = NetworkConfig(image_size=32, width=width, stem_stride=2)
    options = method_options(name, preset_values(name, "default"))
    return load_method(name)(options, Setup(network, n_domains=3, iterations=10))


def test_networks_optimisers_and_facts_come_back(tmp_path: Path, make_batch) -> None:
    path = tmp_path / "a.safetensors"
    method = make("rfm")
    for _ in range(2):
        method.update(make_batch(dtype=torch.float32))
    write_checkpoint(path, method, {"iteration": 2}, {"domain": torch.arange(4)}, resumable=True)
    other = make("rfm", seed=1)
    facts, tensors = read_checkpoint(path, other)
    assert facts == {"iteration": 2}
    assert tensors["domain"].tolist() == [0, 1, 2, 3]
    for one in (method, other):  # the optimisers' moments are the same too: one more step leads to the same place
        one.update(make_batch(dtype=torch.float32, seed=2))
    for name, value in method.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (("binary_cnn", 0.1), "is a checkpoint of method RFM, not of BinaryCNN"),
        (("rfm", 0.25), r"has shape .* written with another network\.width"),
    ],
)
def test_a_checkpoint_of_another_method_or_width_is_refused(tmp_path: Path, other, message: str) -> None:
    path = tmp_path / "a.safetensors"
    write_checkpoint(path, make("rfm"), {}, {}, resumable=False)
    with pytest.raises(UserError, match=message):
        read_checkpoint(path, make(*other))


def test_broken_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    method = make("rfm")
    with pytest.raises(UserError, match="there is no such checkpoint"):
        read_checkpoint(tmp_path / "no.safetensors", method)
    whole = tmp_path / "whole.safetensors"
    write_checkpoint(whole, method, {}, {}, resumable=False)
    half = tmp_path / "half.safetensors"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match="not a readable checkpoint"):
        read_checkpoint(half, method)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, foreign)
    with pytest.raises(UserError, match="not a checkpoint of dgfas"):
        read_checkpoint(foreign, method)
