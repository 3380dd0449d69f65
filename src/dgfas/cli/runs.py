"""Verbs that train and measure: train, score, evaluate, demo."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from dgfas.cli.shared import EXIT_USER_ERROR, bars, say
from dgfas.core.errors import UserError

Selection = Annotated[
    Literal["source_validation", "last"], typer.Option("--select", help="Which checkpoint the deployable track takes.")
]
ThresholdRule = Annotated[
    str, typer.Option("--threshold", help="eer, fixed=V, bpcer=V or apcer=V, on source development data.")
]
Target = Annotated[str | None, typer.Option(help="The unseen domain.")]
Roots = Annotated[list[Path], typer.Option("--data", help="Folder of a prepared data set; may be repeated.")]
Assignments = Annotated[list[str], typer.Option("--set", help="Change one value, e.g. --set training.seed=3.")]


def train(
    out: Annotated[Path | None, typer.Argument(help="Folder of the new run.")] = None,
    method: Annotated[str, typer.Option(help="Name of a method, or path of its Python file.")] = "rfm",
    data: Roots = [],  # noqa: B006
    sources: Annotated[
        str | None, typer.Option(help="Domains that train, e.g. desk,webcam,laptop. [all but the target]")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The unseen domain (it is not touched by training).")] = None,
    preset: Annotated[str, typer.Option(help="default, paper or released.")] = "default",
    setting: Annotated[str, typer.Option(help="small (64 px, ours) or full (256 px, the papers').")] = "small",
    config: Annotated[Path | None, typer.Option(help="YAML file with values that differ.")] = None,
    assignments: Assignments = [],  # noqa: B006
    seed: int | None = None,
    devices: Annotated[int | None, typer.Option(help="Processes, one a GPU or CPU.")] = None,
    select: Selection = "source_validation",
    threshold: ThresholdRule = "eer",
    resume: Annotated[Path | None, typer.Option(help="Continue the run in this folder.")] = None,
) -> None:
    """Train a method on the source domains.

    Example: dgfas train runs/rfm --method rfm --data data/simulated --target phone
    """
    from dgfas.training.configure import build_config
    from dgfas.training.run import resume as go_on
    from dgfas.training.run import start
    from dgfas.training.selection import freeze_operating_point
    from dgfas.training.task_data import domains_but

    with bars() as report:
        if resume is not None:
            run, is_first_process = resume, go_on(resume, report)
        elif out is None:
            raise UserError("name the folder of the new run, or continue one with --resume RUN")
        else:
            values = {"training.seed": seed, "training.devices": devices}
            options = [f"{key}={value}" for key, value in values.items() if value is not None]
            names = sources.split(",") if sources else domains_but(target, data)
            built = build_config(
                method,
                roots=data,
                sources=names,
                target=target,
                preset=preset,
                setting=setting,
                config_file=config,
                assignments=[*assignments, *options],
            )
            run, is_first_process = out, start(built, out, report)
    if not is_first_process:
        return
    step, thresholds = freeze_operating_point(run, selection=select, threshold=threshold)
    say(f"{run}: checkpoint {step} by {select}; threshold {thresholds['recording']}")


def score(
    files: Annotated[list[Path], typer.Argument(help="Photos, videos or folders of frames.")],
    model: Annotated[Path, typer.Option(help="Folder of a finished run.")],
    detector: Annotated[Literal["blazeface", "none"], typer.Option(help="none: already cropped.")] = "blazeface",
    frames: Annotated[int, typer.Option(help="Frames of a video to look at.")] = 8,
) -> None:
    """Score photos and clips: P(live), and the decision by the stored threshold.

    Example: dgfas score photo.jpg clip.mp4 --model runs/rfm
    """
    from dgfas.training.score_files import FileScorer

    scorer = FileScorer(model, frames=frames, detector=detector)
    faults = 0
    for path in files:
        try:
            answer = scorer.score(path)
        except UserError as error:
            faults += 1
            print(f"dgfas: {error}", file=sys.stderr)
            continue
        number = "-" if answer.score is None else f"{answer.score:.4f}"
        say(f"{path}: {answer.decision}  score {number}  ({answer.frames_with_face} of {answer.frames} frames)")
        say(f"  threshold {answer.threshold}")
    if faults:
        raise typer.Exit(EXIT_USER_ERROR)


def evaluate(
    run: Annotated[Path | None, typer.Argument(help="Folder of a finished run.")] = None,
    target: Target = None,
    data: Roots = [],  # noqa: B006
    development: Annotated[Path | None, typer.Option(help="scores.csv of source development data.")] = None,
    scores: Annotated[Path | None, typer.Option(help="scores.csv of the target, instead of a run.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results. [RUN/evaluation/TARGET]")] = None,
    select: Selection = "source_validation",
    threshold: ThresholdRule = "eer",
) -> None:
    """Measure a run, or any system's scores, on a domain that it has not seen: both tracks in one table.

    Example: dgfas evaluate runs/rfm --target phone

    Example: dgfas evaluate --scores target.csv --development source.csv --out results
    """
    from rich.console import Console

    from dgfas.evaluation.scores import read_scores
    from dgfas.evaluation.tracks import Evaluation, evaluate_scores
    from dgfas.reporting.results import write_result
    from dgfas.reporting.tables import species_table, tracks_table

    if (run is None) == (scores is None):
        raise UserError("give either the folder of a run, or --scores with a scores.csv")
    if scores is not None:
        source = None if development is None else read_scores(development)
        evaluation = Evaluation(str(scores), evaluate_scores(source, read_scores(scores), threshold=threshold))
        out = out or scores.with_suffix("")
    else:
        assert run is not None
        from dgfas.training.evaluate import evaluate_run

        with bars() as report:
            evaluation = evaluate_run(run, target, data, selection=select, threshold=threshold, report=report)
        out = out or run / "evaluation" / str(evaluation.about["target"])
    files = write_result(evaluation, out)
    Console().print(tracks_table(evaluation))
    Console().print(species_table(evaluation))
    say("written: " + ", ".join(map(str, files)))


def demo(
    out: Annotated[Path, typer.Argument(help="Folder for the data, the runs and the results.")] = Path("demo"),
    subjects: Annotated[int, typer.Option(help="People a simulated domain.")] = 60,
    iterations: Annotated[int, typer.Option(help="Of each training.")] = 480,
    seed: int = 0,
) -> None:
    """Simulate four domains, train RFM and a plain CNN on three, measure both on the fourth.

    Example: dgfas demo demo
    """
    from rich.console import Console

    from dgfas.benchmark.demo import run_demo
    from dgfas.reporting.comparison import comparison_table, write_comparison
    from dgfas.reporting.results import write_result

    with bars() as report:
        evaluations = run_demo(out, subjects=subjects, iterations=iterations, seed=seed, report=report)
    for method, evaluation in evaluations.items():
        write_result(evaluation, out / method / "results")
    title = f"simulated {next(iter(evaluations.values())).about['task']}, by recording, {iterations} iterations"
    files = write_comparison(evaluations, title, "recording", out)
    Console().print(comparison_table(evaluations, title, "recording"))
    say("look at: " + ", ".join(map(str, [out / "data" / "contact_sheet.png", *files])))
