"""A tiny data set and a tiny run, both made by the command line; copies to break; a small disk."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import succeed, train


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 4 domains x 5 people x 2 recordings x 2 frames. Do not change it: `copy` it."""
    root = tmp_path_factory.mktemp("data") / "simulated"
    few = {"subjects": 5, "live-recordings": 1, "spoof-recordings": 1, "frames": 2, "image-size": 32, "workers": 1}
    words = [word for name, value in few.items() for word in (f"--{name}", value)]
    answer = succeed("simulate", root, *words)
    assert answer.out.startswith("80 frames in ")
    return root


@pytest.fixture(scope="session")
def run(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of RFM on desk, webcam, laptop; target phone. Do not change it: `copy` it."""
    folder = tmp_path_factory.mktemp("runs") / "rfm"
    answer = train(folder, simulated)
    assert answer.code == 0, answer
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Return a copier of a data set (without its packed files) or a run."""
    return lambda folder: Path(
        shutil.copytree(folder, tmp_path / f"copy of {folder.name}", ignore=shutil.ignore_patterns("packed"))
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a mounter of a small disk: called with options of mount, e.g. "size=1m"; called again it changes them."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        options = f"remount,{options}" if mounted else options
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if done.returncode and not mounted:
            pytest.skip(f"a small disk cannot be mounted here ({done.stderr.strip()})")
        assert done.returncode == 0, done.stderr
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)
