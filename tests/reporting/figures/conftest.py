"""A tiny data set and tiny runs of the methods whose papers' figures are drawn, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dgfas.reporting.figures import PaperFigure, paper_figures
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.loop import train
from dgfas.training.selection import freeze_operating_point
from heard import Heard

SOURCES = ("desk", "webcam", "laptop")


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, subjects=5, live_recordings=1, spoof_recordings=1, frames=2, image_size=32, workers=1)
    return root


@pytest.fixture(scope="session")
def make_run(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a maker of finished runs of 4 iterations; the same words give the same run, made once."""
    folder = tmp_path_factory.mktemp("runs")

    def make(
        name: str, method: str, *assignments: str, sources: tuple[str, ...] = SOURCES, target: str = "phone"
    ) -> Path:
        run = folder / name
        if not run.exists():
            values = [
                "network.image_size=32",
                "network.width=0.1",
                "training.iterations=4",
                "training.batch_per_class=2",
                "training.threads=1",
                *assignments,
            ]
            train(build_config(method, roots=[simulated], sources=sources, target=target, assignments=values), run)
            freeze_operating_point(run, selection="last", threshold="eer")
        return run

    return make


@pytest.fixture(scope="session")
def d2am_run(make_run: Callable[..., Path]) -> Path:
    return make_run("d2am", "d2am", "domains.recluster_every=1")


@pytest.fixture(scope="session")
def all_runs(make_run: Callable[..., Path], d2am_run: Path) -> list[Path]:
    """A run of every kind that a figure asks for."""
    return [
        d2am_run,
        make_run("rfm", "rfm"),
        make_run("binary_cnn", "binary_cnn"),
        make_run("drdg", "drdg"),
        make_run("drdg_baseline", "drdg", "options.srm=none", "options.frm=none"),
        make_run("anrl", "anrl"),
        make_run("anrl_batch", "anrl", "options.normalization=batch"),
        make_run("anrl_instance", "anrl", "options.normalization=instance"),
        make_run("pdl_fas", "pdl_fas"),
        make_run("rfm_two_sources", "rfm", sources=("desk", "webcam")),
    ]


@pytest.fixture(scope="session")
def drawn(all_runs: list[Path]) -> dict[str, PaperFigure]:
    """All figures of all runs, by name."""
    heard = Heard()
    figures = paper_figures(all_runs, heard)
    # Of the second run of rfm and of the normalisations without balance factors nothing is missing but a companion.
    assert [line.partition(":")[0] for line in heard.notes] == ["RFM, figure 6"], heard.notes
    return {figure.name: figure for figure in figures}
