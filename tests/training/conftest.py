"""A tiny simulated data set and a tiny run's configuration."""

from pathlib import Path

import pytest

from dgfas.core.config import RunConfig
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config

SOURCES = ["desk", "webcam", "laptop"]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, subjects=5, live_recordings=1, spoof_recordings=1, frames=2, image_size=32, workers=1)
    return root


@pytest.fixture(scope="session")
def simulated_in_sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("in_sequence")
    simulate(root, subjects=5, live_recordings=1, spoof_recordings=1, frames=3, image_size=64, workers=1)
    return root


@pytest.fixture
def tiny(simulated: Path):
    """Return a maker of small configurations: 32 px, narrow, a few iterations, one thread."""

    def make(method: str = "rfm", *assignments: str, iterations: int = 10) -> RunConfig:
        values = [
            "network.image_size=32",
            "network.width=0.1",
            f"training.iterations={iterations}",
            "training.batch_per_class=2",
            "training.threads=1",
            *assignments,
        ]
        return build_config(method, roots=[simulated], sources=SOURCES, target="phone", assignments=values)

    return make
