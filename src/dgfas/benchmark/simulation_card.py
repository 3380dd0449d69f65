"""Measure whether the simulated data set discriminates, and write its card: `make simulation-card`.

The rule, fixed before measuring: on data seeds that were not used for tuning, the plain CNN reaches an AUC above .97
within each domain and between .70 and .93 on each unseen domain; and each trivial probe, read as max(AUC, 1 - AUC),
stays at least 3 points below the CNN on the mean of the unseen domains.
"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from dgfas.benchmark.card_page import write_card
from dgfas.benchmark.parallel import Processes
from dgfas.benchmark.probes import PROBES, probe_auc
from dgfas.benchmark.runner import Outcome, run_jobs
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest
from dgfas.core.progress import Printed, Silent
from dgfas.core.work import cores
from dgfas.data.batches import BatchLoader
from dgfas.evaluation.metrics import auc
from dgfas.evaluation.protocols import leave_one_out
from dgfas.evaluation.tasks import Task
from dgfas.simulation import CAPTURE_DOMAINS, contact_sheet, simulate
from dgfas.simulation.data_set import VERSION
from dgfas.training.configure import build_config
from dgfas.training.loop import train
from dgfas.training.task_data import load_task
from dgfas.training.trained import TrainedModel

DATA_SEEDS = (5, 6)
TRAINING_SEEDS = range(5)
ITERATIONS = 600


@dataclass(frozen=True)
class Run:
    """One number of the card: an AUC on one data set."""

    kind: str  # "intra", "unseen" or "probe-NAME"
    target: str
    data_seed: int
    training_seed: int | None = None

    @property
    def name(self) -> str:
        seed = "" if self.training_seed is None else f"-t{self.training_seed}"
        return f"v{VERSION}-d{self.data_seed}{seed}-{self.kind}-{self.target}"


def runs() -> Iterator[Run]:
    """Yield all runs, the cheap ones first, then one training seed after the other."""
    for data_seed in DATA_SEEDS:
        for probe in PROBES:
            yield from (Run(f"probe-{probe}", target, data_seed) for target in CAPTURE_DOMAINS)
    for training_seed in TRAINING_SEEDS:
        for data_seed in DATA_SEEDS:
            for kind in ("unseen", "intra"):
                yield from (Run(kind, target, data_seed, training_seed) for target in CAPTURE_DOMAINS)


def measure(work: Path, results: Path, processes: int, report: Silent) -> Outcome:
    """Do the runs whose file in `results` is missing, `processes` at once; the data sets lie in folder `work`."""
    for seed in DATA_SEEDS:
        simulate(_data(work, seed), seed=seed)
    return run_jobs(list(runs()), partial(_area, work), results, Processes(processes), report)


def _data(work: Path, seed: int) -> Path:
    return work / f"v{VERSION}-data-{seed}"


def _area(work: Path, run: Run, report: Silent) -> dict[str, Any]:
    """Return the facts of one run, `auc` among them."""
    manifest = simulate(_data(work, run.data_seed), seed=run.data_seed)
    if run.training_seed is None:
        area = _probe(run, manifest)
    else:
        folder = work / run.name
        area = _network(run, manifest, folder)
        shutil.rmtree(folder)
    return {**vars(run), "auc": round(area, 4)}


def _read_crops(manifest: Manifest) -> np.ndarray:
    return np.stack(
        [np.asarray(cv2.imread(str(manifest.root / face), cv2.IMREAD_COLOR_RGB)) for face in manifest.frames["face"]]
    )


def _probe(run: Run, manifest: Manifest) -> float:
    """Return the AUC of a probe trained on the other domains."""
    frames, crops = manifest.frames, _read_crops(manifest)
    is_live = (frames["label"] == Label.LIVE).to_numpy(dtype=bool)
    unseen = (frames["domain"] == run.target).to_numpy(dtype=bool)
    features = PROBES[run.kind.removeprefix("probe-")](crops)
    return probe_auc(features[~unseen], is_live[~unseen], features[unseen], is_live[unseen])


def _network(run: Run, manifest: Manifest, folder: Path) -> float:
    """Return the AUC of the plain CNN: on the unseen domain, or on the test subjects of its only source."""
    shutil.rmtree(folder, ignore_errors=True)
    task = next(task for task in leave_one_out(CAPTURE_DOMAINS) if task.target == run.target)
    if run.kind == "intra":
        task = Task((run.target,), "none")
    config = build_config(
        "binary_cnn",
        roots=[manifest.root],
        sources=task.sources,
        assignments=[
            f"training.iterations={ITERATIONS}",
            f"training.seed={run.training_seed}",
            "training.threads=1",
            f"data.lists={'official' if run.kind == 'intra' else 'ssdg'}",
        ],
    )
    train(config, folder)
    model = TrainedModel.load(folder, ITERATIONS)
    target = None if run.kind == "intra" else run.target
    data = load_task(config.data, config.network.image_size, target)
    if run.kind == "intra":
        chosen = data.frames[(data.frames["domain"] == run.target) & (data.frames["split"] == "test")]
    else:
        chosen = data.part("target")
    is_live = (chosen["label"] == Label.LIVE).to_numpy(dtype=bool)
    loader = BatchLoader(data.packed, chosen[["data_set", "row"]].to_numpy(), is_live, torch.device("cpu"))
    return auc(model.score_frames(loader), is_live)


def main() -> None:
    """Measure what is missing and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/simulation-card"), help="data sets and trainings")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where results and the card go")
    parser.add_argument("--processes", type=int, default=cores(), help="runs at once")
    parser.add_argument("--only-page", action="store_true", help="write the card from the results that exist")
    arguments = parser.parse_args()
    results = arguments.docs / "results" / "simulation"
    if not arguments.only_page:
        measure(arguments.work, results, arguments.processes, Printed())
        sheet = simulate(_data(arguments.work, DATA_SEEDS[0]), seed=DATA_SEEDS[0])
        contact_sheet(sheet, arguments.docs / "images" / "simulation-sheet.png")
    write_card(results, arguments.docs / "simulation-card.md", planned=len(list(runs())))


if __name__ == "__main__":
    main()
