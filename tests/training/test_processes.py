"""Two processes: they step with the mean of their gradients, and stay equal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from dgfas.core.progress import Silent
from dgfas.methods.registry import method_names
from dgfas.training.loop import Training, _load, launch, train
from dgfas.training.processes import averager

SCRIPT = Path(__file__).with_name("gradients_of_two_processes.py")

pytestmark = pytest.mark.slow


def run_two(config, folder: Path, iterations: int, *launcher: str) -> list[dict]:
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    command = [sys.executable, *launcher, str(SCRIPT), str(folder / "config.yaml"), str(folder), str(iterations)]
    environment = {**os.environ, "MASTER_ADDR": "127.0.0.1", "PYTHONWARNINGS": "ignore"}
    subprocess.run(command, check=True, capture_output=True, timeout=500, env=environment)
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]


def half_gradients(config, rank: int) -> list[torch.Tensor]:
    """Return the gradients that one process computes on the part of the first batch that `rank` of two would get."""
    fabric = launch(config.training)
    training = Training(config, Path("unused"), _load(config, fabric, Silent()), fabric, Silent())
    training.method.train()
    training.name_domains()
    rows = training.sampler.rows(0, rank, 2)
    # The coin of the flip is the process's own.
    training.sampler.rows = lambda iteration, own_rank, world_size: rows
    stepped = []
    training.method.average = lambda tensors: stepped.append([tensor.clone() for tensor in tensors])
    training.step()
    torch.set_default_dtype(torch.float32)
    return stepped[0]


def test_two_processes_step_with_the_mean_of_their_halves(tiny, tmp_path: Path) -> None:
    """RFM, second order, inner step large enough that it matters; float64, no flip."""
    values = ("options.inner_step_size=0.1", "training.precision=64-true", "training.flip=false")
    config = tiny("rfm", "training.accelerator=cpu", "training.devices=2", *values)
    both = run_two(config, tmp_path / "two", 1)
    alone = config.model_copy(update={"training": config.training.model_copy(update={"devices": 1})})
    halves = [half_gradients(alone, rank) for rank in range(2)]
    assert len(halves[0]) == len(both[0]["gradients"]) > 20
    differing = 0
    for mean, *parts in zip(both[0]["gradients"], *halves, strict=True):
        expected = (parts[0] + parts[1]) / 2
        torch.testing.assert_close(mean, expected, rtol=1e-9, atol=1e-11)
        differing += not torch.allclose(parts[0], parts[1], rtol=1e-3)
    assert differing > 20  # the halves are not the same batch


@pytest.mark.parametrize("launcher", [(), ("-m", "torch.distributed.run", "--nproc_per_node=2")])
def test_processes_stay_equal(tiny, tmp_path: Path, launcher: tuple[str, ...]) -> None:
    """After 20 steps parameters, running statistics and state are equal on both; started by Fabric and by torchrun."""
    config = tiny("rfm", "training.accelerator=cpu", "training.devices=2", iterations=20)
    first, second = run_two(config, tmp_path / "two", 20, *launcher)
    assert first["world_size"] == 2
    for name, value in first["state"].items():
        assert torch.equal(value, second["state"][name]), name


@pytest.mark.parametrize("method", method_names())
def test_every_method_stays_equal_on_two_processes(tiny, tmp_path: Path, method: str) -> None:
    """Six iterations, with domains found twice where the method finds them."""
    config = tiny(method, "training.accelerator=cpu", "training.devices=2", iterations=6)
    if config.domains.get("provider", "given") != "given":
        config = config.model_copy(update={"domains": {**config.domains, "recluster_every": 3}})
    first, second = run_two(config, tmp_path / "two", 6)
    assert any(value.is_floating_point() for value in first["state"].values())
    for name, value in first["state"].items():
        assert torch.equal(value, second["state"][name]), name


def test_the_command_line_trains_on_two_processes(tiny, tmp_path: Path) -> None:
    config = tiny("rfm", iterations=4)
    command = ["train", str(tmp_path / "run"), "--method", "rfm", "--data", str(config.data.roots[0]), "--sources"]
    command += ["desk,webcam,laptop", "--target", "phone", "--devices", "2"]
    for value in ("iterations=4", "batch_per_class=2", "accelerator=cpu", "threads=1"):
        command += ["--set", f"training.{value}"]
    command += ["--set", "network.image_size=32", "--set", "network.width=0.1"]
    done = subprocess.run(
        [sys.executable, "-m", "dgfas", *command],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoint") == 1, done.stdout
    assert (tmp_path / "run" / "operating_point.json").is_file()


def test_one_process_averages_nothing(tiny) -> None:
    fabric = launch(tiny("rfm").training)
    tensor = torch.tensor([1.0, 2.0])
    averager(fabric)([tensor])
    assert tensor.tolist() == [1.0, 2.0]


def test_one_process_differs_from_two(tiny, tmp_path: Path) -> None:
    """The negative control: the second process's frames do count."""
    run = train(tiny("rfm", "training.accelerator=cpu", iterations=3), tmp_path / "one")
    assert run.is_dir()
    two = run_two(tiny("rfm", "training.accelerator=cpu", "training.devices=2", iterations=3), tmp_path / "two", 3)
    one = run_one_state(run)
    assert any(not torch.allclose(one[name], two[0]["state"][name]) for name in one)


def run_one_state(run: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    arrays = load_file(run / "checkpoints" / "latest.safetensors")
    return {name.removeprefix("method/"): value for name, value in arrays.items() if name.startswith("method/")}
