"""The verb that runs many trainings: benchmark."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Annotated

import typer

from dgfas.cli.shared import Address, On, Where, bars, say
from dgfas.core.errors import UserError
from dgfas.core.files import locked

if TYPE_CHECKING:
    from dgfas.benchmark.catalogue import Study
    from dgfas.benchmark.folders import Folders
    from dgfas.benchmark.study import Training
    from dgfas.core.work import Executor


MOST_SEED = 2**31 - 1  # what a YAML of a run takes


def benchmark(
    task: Annotated[
        list[str] | None, typer.Argument(help="Protocols (leave-one-out, ocim) or tasks ('a&b to c').")
    ] = None,
    *,
    methods: Annotated[str | None, typer.Option(help="Names, e.g. binary_cnn,rfm,ms_lbp; `all` learned ones.")] = None,
    study: Annotated[
        str | None, typer.Option(help="Instead of tasks and methods: a study, by name or YAML file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results; what it holds is not done again.")],
    data: Annotated[
        list[Path],
        typer.Option(metavar="FOLDER", help="Prepared data set; {seed} stands for the seed. May be repeated."),
    ] = [],  # noqa: B006
    data_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Instead: folder that holds them, each in a folder of its name: DIR/oulu-npu, ..."
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="8 (1 to 8), 4-8 or 1,2,5: of the training, and of {seed} in --data. [the study's, or 3]"),
    ] = None,
    simulate_subjects: Annotated[
        int | None, typer.Option(min=1, help="Simulate a missing data set with this many people a domain.")
    ] = None,
    setting: Annotated[str | None, typer.Option(help="small or full. [the study's, or small]")] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Of each training. [the study's, or the setting's]")
    ] = None,
    rates: Annotated[Path | None, typer.Option(help="JSON of learning rates by method, see `--tune`.")] = None,
    tune: Annotated[str | None, typer.Option(help="Instead: try these learning rates, choose by source data.")] = None,
    assignments: Annotated[list[str], typer.Option("--set", help="Change one value of every training.")] = [],  # noqa: B006
    processes: Annotated[
        int | None, typer.Option(min=1, help="Trainings at once, of one thread each. [all cores]")
    ] = None,
    on: On = Where.processes,
    address: Address = None,
    gpus_per_job: Annotated[float, typer.Option(min=0, help="GPUs of a training on Ray, also a share of one.")] = 0,
    tflops: Annotated[
        float | None,
        typer.Option(min=0.001, help="Foretell the time by counted operations, at so many TFLOP/s (10^12 a second)."),
    ] = None,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="Keep checkpoints and scores in OUT/kept: `dgfas report` draws of them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Foretell the time, and stop.")] = False,
) -> None:
    """Train methods on tasks with several seeds, and tabulate.

    Each training is measured on its task's unseen domain. What has a result is not done again.

    Example: dgfas benchmark leave-one-out --methods rfm --data sim --out study

    Example: dgfas benchmark ocim --methods rfm --data-root prepared --out study
    """
    from dgfas.benchmark.catalogue import changed_rows, read_rates, tuned_rows
    from dgfas.benchmark.forecast import Forecast
    from dgfas.benchmark.rates import choose_rates, validations_of_rates
    from dgfas.benchmark.results import require_same_jobs
    from dgfas.benchmark.runner import KEPT, kept_run, result_path, run_jobs
    from dgfas.benchmark.study import Training, draw_data, require_sound_rows, train_and_measure, trainings
    from dgfas.core.files import write_json

    plan = _plan(study, task, methods)
    entries = changed_rows(plan.rows, read_rates(rates or plan.rates), assignments)
    entries = entries if tune is None else tuned_rows(entries, tune.split(","))
    numbers = _seeds(str(plan.seeds) if seeds is None else seeds)
    folders = _folders(data, data_root, simulate_subjects, plan, numbers)
    tasks = folders.tasks(plan.tasks)
    if on is not Where.ray and (address is not None or gpus_per_job):
        raise UserError("--address and --gpus-per-job go with --on ray")
    if keep_runs and on is Where.ray:
        raise UserError("--keep-runs keeps runs of this machine alone: leave out --on ray")
    out, results = out.resolve(), out.resolve() / "runs"
    jobs = list(
        trainings(
            entries,
            tasks,
            numbers,
            folders,
            subjects=simulate_subjects,
            setting=plan.setting if setting is None else setting,
            iterations=iterations or plan.iterations,
            scratch=out / "scratch" if on is Where.processes else Path(gettempdir()) / f"dgfas-{uuid.uuid4().hex[:8]}",
            kept=out / KEPT if keep_runs else None,
        )
    )
    require_sound_rows(jobs)
    require_same_jobs(jobs, results)
    busy = f"{out}: another benchmark writes there and would do the same jobs; wait for it, or choose another folder"
    with (
        _executor(on, processes, address, gpus_per_job) as executor,
        nullcontext() if dry_run else locked(out / ".lock", busy=busy),
        bars() as report,
    ):
        forecast = Forecast(jobs, results, executor.at_once, tflops)
        if dry_run:
            say(str(forecast))
            return
        if forecast.waiting:
            report.note(str(forecast))
        before = [result_path(results, job) for job in jobs if job.name not in forecast.waiting]
        lost = [path for path in before if keep_runs and not kept_run(path).is_dir()]
        if lost:
            report.note(f"{len(lost)} of the results were made without --keep-runs; delete them to make them again")
        if on is Where.processes:
            draw_data(list(forecast.waiting.values()), report)

        def refine(job: Training, seconds: float) -> None:
            if sentence := forecast.done(job, seconds):
                report.note(sentence)

        outcome = run_jobs(jobs, train_and_measure, results, executor, report, refine)
    say(f"{outcome.done} trainings done, {outcome.done_before} before, {len(outcome.failed)} failed")
    for name in outcome.failed:
        say(f"failed: {name}")
    if tune is not None:
        tried = validations_of_rates(jobs, results)
        write_json(out / "rates.json", {"learning_rates": choose_rates(tried), "source_validation_auc": tried})
        say(f"rates by source validation: {out / 'rates.json'}")
    elif outcome.done + outcome.done_before:
        _tabulate(results, out / f"{Path(study or 'study').stem}.md", plan, jobs)
    if outcome.failed:
        raise typer.Exit(1)


def _plan(study: str | None, tasks: list[str] | None, methods: str | None) -> "Study":
    from dgfas.benchmark.catalogue import Study, load_study, plain_entries, study_names
    from dgfas.methods.registry import method_file, method_names

    if study is not None:
        if tasks or methods is not None:
            raise UserError("--study names its own tasks and methods; leave them out")
        return load_study(study)
    if not tasks or methods is None:
        raise UserError(f"name tasks and --methods, or a --study: {', '.join(study_names())}")
    names = method_names() if methods == "all" else [name.strip() for name in methods.split(",")]
    for name in names:
        method_file(name)  # an unknown method is said before the first training
    return Study(
        title=f"Methods on {', '.join(tasks)}", tasks=tuple(tasks), seeds=3, entries=tuple(plain_entries(names))
    )


def _folders(data: list[Path], root: Path | None, subjects: int | None, plan: "Study", seeds: list[int]) -> "Folders":
    from dgfas.benchmark import folders

    if bool(data) == (root is not None):
        raise UserError("name the data by --data FOLDER, once or several times, or by --data-root DIR: one of the two")
    if subjects and len(data) != 1:
        raise UserError(
            "--simulate-subjects draws one data set, which holds all domains: name its folder by one --data"
        )
    if subjects and len(seeds) > 1 and "{seed}" not in str(data[0]):
        raise UserError(
            f"--data {data[0]}: --simulate-subjects draws a data set for each of the {len(seeds)} seeds; "
            f"write {data[0]}-{{seed}}"
        )
    paths = [path.resolve() for path in (data if root is None else [root])]
    if subjects:
        return folders.drawn(paths[0])
    each = seeds if any("{seed}" in str(path) for path in paths) else seeds[:1]  # a later seed's folder may be missing
    first, *_ = [
        folders.given(paths, seed) if root is None else folders.below(paths[0], plan.tasks, seed) for seed in each
    ]
    return first


def _seeds(text: str) -> list[int]:
    from dgfas.benchmark.catalogue import MOST_SEEDS

    seeds: Sequence[int]
    if match := re.fullmatch(r"\s*(?:(\d{1,10})\s*-)?\s*(\d{1,10})\s*", text):
        first, last = int(match[1] or 1), int(match[2])
        seeds = range(first, last + 1) if last <= MOST_SEED else []
    else:
        parts = text.split(",")
        seeds = [int(part) for part in parts if re.fullmatch(r"\s*\d{1,10}\s*", part)]
        seeds = seeds if len(seeds) == len(parts) else []
    if len(seeds) > MOST_SEEDS:
        hint = f"write {last}-{last} for that one seed" if match and match[1] is None else "name fewer"
        raise UserError(f"--seeds {text!r}: these are {len(seeds)} seeds, more than {MOST_SEEDS}; {hint}")
    if not seeds or len(set(seeds)) < len(seeds) or max(seeds) > MOST_SEED:
        raise UserError(f"--seeds {text!r}: write a number (8 is 1 to 8), a range 4-8, or different ones with commas")
    return list(seeds)


@contextmanager
def _executor(on: Where, processes: int | None, address: str | None, gpus_per_job: float) -> "Iterator[Executor]":
    from dgfas.benchmark.cluster import joined
    from dgfas.benchmark.parallel import Processes
    from dgfas.core.work import cores

    if on is Where.processes:
        yield Processes(processes or cores())
    else:
        with joined(address, processes or cores(), gpus_per_job) as cluster:
            yield cluster


def _tabulate(results: Path, page: Path, plan: "Study", jobs: "list[Training]") -> None:
    """Print the HTER of both tracks, and write the page of the study."""
    from dgfas.core.files import write_whole
    from dgfas.reporting.study import markdown, read_study, study_table
    from dgfas.reporting.study_page import study_page

    labels = list(dict.fromkeys(job.entry.label for job in jobs))
    wanted = {(job.task, job.entry.label, job.seed) for job in jobs}  # the folder may hold other studies too
    study = read_study(results)
    study = study[[key in wanted for key in zip(study["task"], study["label"], study["seed"], strict=True)]]
    for track in ("deployable", "oracle"):
        table = markdown(study_table(study, "hter", track, "recording", labels))
        say(f"HTER %, {track} track, by recording\n{table}\n")
    write_whole(page, study_page(study, plan.title, labels, plan.baseline))
    say(f"AUC and more: {page}")
