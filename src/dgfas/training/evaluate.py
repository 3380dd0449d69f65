"""Measure a finished run on a domain that it has not seen."""

from collections.abc import Sequence
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.evaluation.protocols import Task, count_recordings
from dgfas.evaluation.scores import write_scores
from dgfas.evaluation.tracks import Evaluation, SelectionRule, evaluate_checkpoints
from dgfas.training.record import read_config, read_record
from dgfas.training.selection import development_scores
from dgfas.training.trained import score_target


def evaluate_run(
    run: Path,
    target: str | None,
    roots: Sequence[Path] = (),
    *,
    selection: SelectionRule,
    threshold: str,
    report: Silent | None = None,
) -> Evaluation:
    """Score the target with every kept checkpoint, write the scores into the run's folder, and return both tracks.

    `target` None takes the run's own; `roots` are further prepared data sets. `selection` and `threshold` are the
    deployable track's rules: both are applied to source development scores alone.
    """
    config = read_config(run)
    target = target or config.data.target
    if target is None:
        raise UserError(f"{run}: was trained without a target; name one with --target")
    task = Task(config.data.sources, target)
    scores, data = score_target(run, target, roots, (report or Silent()).progress)
    results = evaluate_checkpoints(development_scores(run), scores, selection=selection, threshold=threshold)
    folder = run / "evaluation" / target
    folder.mkdir(parents=True, exist_ok=True)
    for step, target_scores in scores.items():
        write_scores(folder / f"scores-{step:07d}.csv", target_scores)
    about = {
        "task": str(task),
        "target": target,
        "config": config.model_dump(mode="json"),
        "run": read_record(run),
        "manifests": data.manifest_hashes,
        "recordings": count_recordings(data.frames, data.split).to_dict("records"),
        "uses_target_images": False,
    }
    return Evaluation(f"{Path(config.method).stem}, {task}, seed {config.training.seed}", results, about)
