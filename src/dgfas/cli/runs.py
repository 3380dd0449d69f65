"""Verbs that train and measure: train, score, evaluate, demo."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dgfas.cli.shared import EXIT_USER_ERROR, bars, complain, say
from dgfas.core.config import SelectionRule
from dgfas.core.errors import UserError

Selection = Annotated[
    SelectionRule | None,
    typer.Option(
        "--select",
        help="Which checkpoint the deployable track takes.  [default: the run's, else source_validation]",
    ),
]
ThresholdRule = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        metavar="RULE",
        help="eer, bpcer=V, apcer=V (on source development data) or fixed=V.  [default: the run's, else eer]",
    ),
]
Roots = Annotated[list[Path], typer.Option("--data", metavar="FOLDER", help="A prepared data set; may be repeated.")]


def train(
    out: Annotated[Path | None, typer.Argument(metavar="RUN", help="Folder of the new run.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="A name, e.g. rfm, anrl, ssdg, ida (a wrong one names all), or a Python file.  [default: rfm]"
        ),
    ] = None,
    data: Roots = [],  # noqa: B006
    sources: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Domains that train.  [default: all in the data but the target]"),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The unseen domain: training does not touch it.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="The method's options: default, paper or released.  [default: default]")
    ] = None,
    setting: Annotated[
        str | None, typer.Option(help="small (64 px, ours) or full (256 px, the papers').  [default: small]")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="YAML", help="File of values that differ.")] = None,
    assignments: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change one value, e.g. training.iterations=2000; may be repeated."
        ),
    ] = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(help="Of weights, batches and flips.  [default: 0]")] = None,
    devices: Annotated[int | None, typer.Option(help="Processes, each on a GPU or CPU.  [default: 1]")] = None,
    select: Selection = None,
    threshold: ThresholdRule = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Continue a stopped run; takes no other options.")
    ] = None,
) -> None:
    """Train a method on the source domains.

    Of two words on one value the later wins: setting, preset, --config, the other options, --set. At the end the
    checkpoint and the threshold are fixed on source development data.

    Example: dgfas train runs/rfm --data data/simulated --target phone
    """
    from dgfas.training.configure import build_config
    from dgfas.training.record import read_config
    from dgfas.training.run import resume as go_on
    from dgfas.training.run import start
    from dgfas.training.selection import freeze_operating_point

    values = {"training.seed": seed, "training.devices": devices}
    numbers = [f"{key}={value}" for key, value in values.items() if value is not None]
    changes = [method, *data, sources, target, preset, setting, config, *assignments, *numbers, select, threshold]
    if resume is not None and any(change is not None for change in [out, *changes]):
        raise UserError(f"--resume {resume} takes no other argument: the run goes on with its own config.yaml")
    if resume is None and out is None:
        raise UserError("name the folder of the new run, or continue one with --resume RUN")
    named = [name.strip() for name in (sources or "").split(",") if name.strip()]
    if sources is not None and not named:
        raise UserError(f"--sources {sources!r}: name one domain or more, e.g. desk,webcam")
    with bars() as report:
        if resume is not None:
            run, is_first_process = resume, go_on(resume, report)
        else:
            assert out is not None
            built = build_config(
                method,
                roots=data,
                sources=named,
                target=target,
                preset=preset,
                setting=setting,
                selection=select,
                threshold=threshold,
                config_file=config,
                assignments=[*numbers, *assignments],
            )
            run, is_first_process = out, start(built, out, report)
    if not is_first_process:
        return
    rules = read_config(run)
    step, thresholds = freeze_operating_point(run, selection=rules.selection, threshold=rules.threshold)
    say(f"{run}: checkpoint {step} by {rules.selection}; threshold {thresholds['recording']}")


def score(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Photos, videos or folders of frames.")],
    model: Annotated[Path, typer.Option(metavar="MODEL", help="A model file, or the folder of a finished run.")],
    detector: Annotated[
        Literal["blazeface", "none"], typer.Option(help="Who finds the face; none: the images are crops already.")
    ] = "blazeface",
    frames: Annotated[int, typer.Option(min=1, help="Frames of a video to look at, evenly spaced.")] = 8,
) -> None:
    """Score photos and videos with a model file or a run.

    Prints, for each file, P(live) in [0, 1] and the decision by the model's threshold: live, spoof, or why there is
    none.

    Example: dgfas score photo.jpg clip.mp4 --model model.onnx
    """
    from dgfas.deployment.detector import Detector
    from dgfas.deployment.model_file import open_model
    from dgfas.deployment.run_model import RunModel

    scorer = Detector(RunModel.load(model) if model.is_dir() else open_model(model), detector)
    faults = 0
    for path in files:
        try:
            answer = scorer.score_video(path, frames)
        except UserError as error:
            faults += 1
            complain(str(error))
            continue
        said = answer.decision if answer.reason is None else answer.reason.replace("_", " ")
        number = "-" if answer.score is None else f"{answer.score:.4f}"
        say(f"{path}: {said}  score {number}  ({answer.frames_scored} of {len(answer.frames)} frames)")
        say(f"  threshold {answer.threshold}")
    if faults:
        raise typer.Exit(EXIT_USER_ERROR)


def evaluate(
    run: Annotated[Path | None, typer.Argument(metavar="RUN", help="Folder of a finished run.")] = None,
    target: Annotated[str | None, typer.Option(help="The unseen domain.  [default: the run's]")] = None,
    data: Roots = [],  # noqa: B006
    scores: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Scores of any system on the target, instead of a run.")
    ] = None,
    development: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Its scores on source development data: they fix the threshold.")
    ] = None,
    score_range: Annotated[
        Literal["unit", "any"],
        typer.Option(help="unit: scores in [0, 1]; any: logits and the like, with thresholds in their own unit."),
    ] = "unit",
    name: Annotated[str | None, typer.Option(help="What the system of --scores is called, with its version.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results.  [default: RUN/evaluation/TARGET, or beside --scores]")
    ] = None,
    select: Selection = None,
    threshold: ThresholdRule = None,
) -> None:
    """Measure a run, or any system's scores, on an unseen domain.

    Prints both tracks in one table: deployable (all fixed on source data) and oracle (all fixed on the target).
    Without --select and --threshold a run is measured by the rules that it was trained with.

    Example: dgfas evaluate runs/rfm --target phone

    Example: dgfas evaluate --scores target.csv --development source.csv
    """
    from rich.console import Console

    from dgfas.evaluation.foreign import evaluate_files
    from dgfas.evaluation.tasks import file_name
    from dgfas.evaluation.thresholds import parse_rule
    from dgfas.reporting.results import write_result
    from dgfas.reporting.tables import species_table, tracks_table

    if (run is None) == (scores is None):
        raise UserError("give either the folder of a run, or --scores with a scores.csv")
    if scores is None and (name is not None or score_range != "unit"):
        raise UserError("--name and --score-range describe the system of --scores; a run has its own")
    if scores is None and development is not None:
        raise UserError("--development goes with --scores; a run has its own source development scores")
    if scores is not None and (select is not None or target is not None or data):
        raise UserError("--select, --target and --data choose of a run; leave them out with --scores")
    if scores is not None:
        rule = threshold or "eer"
        if development is None and parse_rule(rule, score_range)[0] != "fixed":
            raise UserError(f"threshold rule {rule!r} needs --development CSV; without it, give --threshold fixed=V")
        if out is None and not scores.suffix:
            raise UserError(f"{scores}: has no ending, so that the folder of results would have its name; give --out")
        evaluation = evaluate_files(scores, development, threshold=rule, score_range=score_range, name=name)
        out = out or scores.with_suffix("")
    else:
        assert run is not None
        from dgfas.training.evaluate import evaluate_run

        with bars() as report:
            evaluation = evaluate_run(run, target, data, selection=select, threshold=threshold, report=report)
        out = out or run / "evaluation" / file_name(str(evaluation.about["target"]))
    files = write_result(evaluation, out)
    Console().print(tracks_table(evaluation))
    Console().print(species_table(evaluation))
    say("written: " + ", ".join(map(str, files)))


def demo(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the data, the runs and the results.")] = Path(
        "demo"
    ),
    subjects: Annotated[int, typer.Option(help="People in each simulated domain.")] = 60,
    iterations: Annotated[int, typer.Option(help="Length of each training.")] = 480,
    seed: Annotated[int, typer.Option(help="Of the data and the trainings.")] = 0,
) -> None:
    """Simulate, train and measure two methods: the whole tour.

    Four capture domains are drawn; RFM and a plain CNN train on three and are measured on the fourth.

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
