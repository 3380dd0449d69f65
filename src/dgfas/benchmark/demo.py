"""The demonstration: four simulated domains, two methods, one unseen domain."""

from pathlib import Path

from dgfas.benchmark.parallel import run_in_parallel
from dgfas.core.config import RunConfig
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.core.work import cores
from dgfas.evaluation.tracks import Evaluation
from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
from dgfas.simulation.contact_sheet import contact_sheet
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.evaluate import evaluate_run
from dgfas.training.record import CONFIG_NAME, read_config
from dgfas.training.run import resume, start
from dgfas.training.selection import freeze_operating_point
from dgfas.training.task_data import load_task

METHODS = ("binary_cnn", "rfm")
TARGET = "phone"


def run_demo(out: Path, *, subjects: int, iterations: int, seed: int, report: Silent) -> dict[str, Evaluation]:
    """Simulate, train every method of METHODS on three domains, and return their evaluations on the fourth.

    What an earlier, stopped call has finished is not done again. Raises UserError if `out` holds another demo.
    """
    data = out / "data"
    manifest = simulate(
        data,
        subjects=subjects,
        seed=seed,
        progress=lambda done, total: report.progress("simulating subjects", done, total),
    )
    contact_sheet(manifest, data / "contact_sheet.png")
    sources = [domain for domain in CAPTURE_DOMAINS if domain != TARGET]
    values = [f"training.iterations={iterations}", f"training.seed={seed}", "training.threads=1"]
    configs = {
        method: build_config(method, roots=[data], sources=sources, target=TARGET, assignments=values)
        for method in METHODS
    }
    network = configs[METHODS[0]].network
    load_task(configs[METHODS[0]].data, network.image_size, TARGET, report.progress)  # packs once for all
    jobs = [(method, (config, out / method)) for method, config in configs.items()]
    evaluations = run_in_parallel(train_and_evaluate, jobs, cores(), report)
    return dict(zip(METHODS, evaluations, strict=True))


def train_and_evaluate(config: RunConfig, run: Path, report: Silent) -> Evaluation:
    """Train (or finish) one run, freeze its operating point on source data, then measure it on the target.

    Raises UserError if folder `run` holds a run with other settings.
    """
    if (run / CONFIG_NAME).exists():
        if read_config(run) != config:
            raise UserError(f"{run}: holds a run with other settings; choose another folder")
        resume(run, report)
    else:
        start(config, run, report)
    freeze_operating_point(run, selection=config.selection, threshold=config.threshold)
    return evaluate_run(run, None, selection=None, threshold=None, report=report)
