"""Measure a finished run on a domain that it has not seen."""

from collections.abc import Sequence
from pathlib import Path

from dgfas.core.config import SelectionRule
from dgfas.core.errors import UserError
from dgfas.core.files import hash_of_file
from dgfas.core.progress import NamedProgress, Silent, named
from dgfas.evaluation.scores import Scores, scores_of_frames
from dgfas.evaluation.scores_file import write_scores
from dgfas.evaluation.tasks import Task, file_name
from dgfas.evaluation.thresholds import parse_rule
from dgfas.evaluation.tracks import Evaluation, evaluate_checkpoints
from dgfas.training.record import read_config, read_record
from dgfas.training.run import load_scorer, weights_file
from dgfas.training.selection import development_scores, read_operating_point
from dgfas.training.task_data import TaskData, load_task


def evaluate_run(
    run: Path,
    target: str | None,
    roots: Sequence[Path] = (),
    *,
    selection: SelectionRule | None,
    threshold: str | None,
    report: Silent | None = None,
) -> Evaluation:
    """Score the target with every kept checkpoint, write the scores into the run's folder, and return both tracks.

    `target` None takes the run's own; `roots` are further prepared data sets. `selection` and `threshold` are the
    deployable track's rules, None those of the run: both are applied to source development scores alone. Raises
    UserError if the run has not finished.
    """
    read_operating_point(run)  # it is fixed before the target is touched
    config = read_config(run)
    selection, threshold = selection or config.selection, threshold or config.threshold
    parse_rule(threshold)
    target = target or config.data.target
    if target is None:
        raise UserError(f"{run}: was trained without a target; name one with --target")
    task = Task(config.data.sources, target, config.data.lists)
    scores, data = score_target(run, target, roots, (report or Silent()).progress)
    results = evaluate_checkpoints(development_scores(run), scores, selection=selection, threshold=threshold)
    folder = run / "evaluation" / file_name(target)
    folder.mkdir(parents=True, exist_ok=True)
    for step, target_scores in scores.items():
        write_scores(folder / f"scores-{step:07d}.csv", target_scores)
    about = {
        "task": str(task),
        "target": target,
        "config": config.model_dump(mode="json"),
        "run": read_record(run),
        **data.facts(),
        "weights": {str(step): hash_of_file(weights_file(run, step)) for step in scores},
        "uses_target_images": load_scorer(run, max(scores)).uses_target_images,
    }
    return Evaluation(f"{Path(config.method).stem}, {task}, seed {config.training.seed}", results, about)


def score_target(
    run: Path, target: str, roots: Sequence[Path] = (), progress: NamedProgress | None = None
) -> tuple[dict[int, Scores], TaskData]:
    """Score the target domain with every kept checkpoint of a run: the inputs of both tracks.

    `roots` are prepared data sets that hold the target, if the run's own do not. Rejected recordings come along as
    non-responses.
    """
    config = read_config(run)
    own = [root.resolve() for root in config.data.roots]
    more = [root.resolve() for root in roots if root.resolve() not in own]
    data_config = config.data.model_copy(update={"roots": (*own, *more)})
    data = load_task(data_config, config.network.image_size, target, progress)
    frames, rejected = data.part("target"), data.split.rejected["target"]
    scores = {}
    for step in development_scores(run):
        report = named(progress, f"scoring {target} at iteration {step}")
        score = load_scorer(run, step).score_part(data, "target", report)
        scores[step] = scores_of_frames(frames, score, rejected, f"{target}, iteration {step}")
    return scores, data
