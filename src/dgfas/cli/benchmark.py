"""The verb that runs many trainings: benchmark."""

from pathlib import Path
from typing import Annotated

import typer

from dgfas.cli.shared import bars, say
from dgfas.core.errors import UserError


def benchmark(
    task: Annotated[list[str], typer.Argument(help="Protocols (leave-one-out, ocim) or tasks ('a&b to c').")],
    methods: Annotated[str, typer.Option(help="Names, e.g. binary_cnn,rfm,ms_lbp; `all` learned ones.")],
    out: Annotated[Path, typer.Option(help="Folder of the results; what it holds is not done again.")],
    data: Annotated[Path, typer.Option(help="Prepared data set; {seed} stands for the seed.")],
    seeds: Annotated[str, typer.Option(help="Seeds, e.g. 1,2,3: of the training, and of {seed} in --data.")] = "1,2,3",
    simulate_subjects: Annotated[
        int | None, typer.Option(help="Simulate a missing data set with this many people a domain.")
    ] = None,
    setting: Annotated[str, typer.Option(help="small or full.")] = "small",
    iterations: Annotated[int | None, typer.Option(help="Of each training. [the setting's]")] = None,
    rates: Annotated[Path | None, typer.Option(help="JSON of learning rates by method, see `--tune`.")] = None,
    tune: Annotated[str | None, typer.Option(help="Instead: try these learning rates, choose by source data.")] = None,
    assignments: Annotated[list[str], typer.Option("--set", help="Change one value of every training.")] = [],  # noqa: B006
    processes: Annotated[int | None, typer.Option(help="Trainings at once, of one thread each. [all cores]")] = None,
) -> None:
    """Train methods on tasks with several seeds, and tabulate.

    Each training is measured on its task's unseen domain. What has a result is not done again.

    Example: dgfas benchmark leave-one-out --methods rfm --data sim --out study
    """
    from dgfas.benchmark.parallel import Processes
    from dgfas.benchmark.runner import cores, run_jobs
    from dgfas.benchmark.study import Entry, choose_rates, draw_data, train_and_measure, trainings
    from dgfas.evaluation.protocols import resolve_protocol
    from dgfas.methods.registry import method_file, method_names
    from dgfas.reporting.study import markdown, read_study, study_table
    from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
    from dgfas.training.record import read_json, write_json
    from dgfas.training.task_data import prepared_frames

    names = method_names() if methods == "all" else [name.strip() for name in methods.split(",")]
    for name in names:
        method_file(name)  # an unknown method is said before the first training
    chosen = {} if rates is None else read_json(rates)["learning_rates"]
    if tune is None:
        entries = [Entry(label=name, method=name, assignments=(*assignments, *_rate(chosen, name))) for name in names]
    else:
        entries = [
            Entry(label=f"{name}@{rate}", method=name, assignments=(*assignments, f"options.learning_rate={rate}"))
            for name in names
            for rate in tune.split(",")
        ]
    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError as error:
        raise UserError(f"--seeds {seeds!r}: write whole numbers with commas between them") from error
    frames = None if simulate_subjects else prepared_frames([Path(str(data).format(seed=numbers[0]))])
    domains = list(CAPTURE_DOMAINS) if frames is None else list(frames["domain"].unique())
    tasks = [each for text in task for each in resolve_protocol(text, domains, frames)]
    jobs = list(
        trainings(
            entries,
            tasks,
            numbers,
            data=data,
            subjects=simulate_subjects,
            setting=setting,
            iterations=iterations,
            scratch=out / "scratch",
        )
    )
    with bars() as report:
        draw_data(jobs, report)
        outcome = run_jobs(jobs, train_and_measure, out / "runs", Processes(processes or cores()), report)
    say(f"{outcome.done} trainings done, {outcome.done_before} before, {len(outcome.failed)} failed")
    if tune is not None:
        write_json(out / "rates.json", {"learning_rates": choose_rates(out / "runs")})
        say(f"rates by source validation: {out / 'rates.json'}")
    else:
        study = read_study(out / "runs")
        labels = [entry.label for entry in entries]
        say(
            "HTER %, deployable track, by recording\n"
            + markdown(study_table(study, "hter", "deployable", "recording", labels))
        )
    if outcome.failed:
        raise typer.Exit(1)


def _rate(chosen: dict[str, float], method: str) -> list[str]:
    return [f"options.learning_rate={chosen[method]}"] if method in chosen else []
