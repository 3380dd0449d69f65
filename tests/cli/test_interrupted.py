"""Ctrl-C, and a disk that fills: one line, nothing lost, and the run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command_line import TINY, dgfas, succeed, train
from safetensors.torch import load_file

LATEST = "checkpoints/latest.safetensors"


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_the_run_goes_on(simulated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["train", run, "--data", simulated, "--target", "phone", "--method", "binary_cnn", *TINY]
    words += ["--set", "training.iterations=200", "--set", "training.checkpoint_seconds=0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dgfas", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    while process.poll() is None and not (run / LATEST).is_file():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == ""
    assert err.count("dgfas: stopped") == 1
    assert "Traceback" not in err
    finished = run / "checkpoints" / "0000200.safetensors"
    assert not finished.exists()
    answer = succeed("train", "--resume", run)
    assert "continuing behind iteration" in answer.err
    assert finished.is_file()


@pytest.mark.slow
def test_a_disk_that_fills_keeps_the_last_checkpoint(
    simulated: Path, disk: Callable[[str], Path], tmp_path: Path
) -> None:
    uninterrupted = tmp_path / "uninterrupted"
    assert train(uninterrupted, simulated, iterations=10).code == 0
    run = disk("size=2m") / "run"  # ten checkpoints of 0.2 MB and two of 0.6 MB do not fit
    answer = train(run, simulated, iterations=10)
    assert answer.code == 2
    last = answer.err.strip().splitlines()[-1]
    assert last.startswith("dgfas: ")
    assert "cannot be written (No space left on device)" in last
    assert "continue with --resume" in last
    load_file(run / LATEST)  # it is whole
    assert not list(run.rglob("*.partial"))
    again = dgfas("train", "--resume", run)
    assert again.code == 2
    assert "Traceback" not in again.err
    disk("size=20m")
    succeed("train", "--resume", run)
    expected = load_file(uninterrupted / LATEST)
    assert all(torch.equal(value, expected[name]) for name, value in load_file(run / LATEST).items())
    for name in (f"development/{step:07d}.csv" for step in range(1, 11)):
        assert (run / name).read_bytes() == (uninterrupted / name).read_bytes()
