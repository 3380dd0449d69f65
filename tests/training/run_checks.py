"""Comparing what runs leave on disk."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from dgfas.training.checkpoint import LATEST, checkpoint_path


def latest(run: Path) -> dict[str, torch.Tensor]:
    return load_file(checkpoint_path(run, LATEST))


def assert_same_state(one: Path, other: Path) -> None:
    first, second = latest(one), latest(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    for file in sorted((one / "development").iterdir()):
        assert file.read_bytes() == (other / "development" / file.name).read_bytes()
