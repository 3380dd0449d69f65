"""Verbs that make data: simulate, prepare, doctor."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from dgfas.cli.shared import EXIT_USER_ERROR, bars, say
from dgfas.core.errors import UserError

prepare_app = typer.Typer(no_args_is_help=True, help="Turn photos and videos into a prepared data set.")


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder of the new data set.")],
    domain: Annotated[
        list[str] | None, typer.Option(help="desk, webcam, laptop, phone or a YAML file; may be repeated. [all four]")
    ] = None,
    subjects: Annotated[int, typer.Option(help="People a domain.")] = 60,
    live_recordings: Annotated[int, typer.Option(help="Live recordings a subject.")] = 2,
    spoof_recordings: Annotated[int, typer.Option(help="Attacks a subject.")] = 2,
    frames: Annotated[int, typer.Option(help="Consecutive frames a recording.")] = 8,
    image_size: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 64,
    seed: int = 0,
    workers: Annotated[int | None, typer.Option(help="Processes. [all cores]")] = None,
) -> None:
    """Draw the simulated data set: four capture domains of faces, prints and replays.

    Example: dgfas simulate data/simulated --subjects 60
    """
    from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
    from dgfas.simulation.contact_sheet import contact_sheet
    from dgfas.simulation.data_set import simulate as draw

    with bars() as report:
        manifest = draw(
            out,
            domains=domain or CAPTURE_DOMAINS,
            subjects=subjects,
            live_recordings=live_recordings,
            spoof_recordings=spoof_recordings,
            frames=frames,
            image_size=image_size,
            seed=seed,
            workers=workers,
            progress=lambda done, total: report.progress("simulating subjects", done, total),
        )
    contact_sheet(manifest, out / "contact_sheet.png")
    say(f"{len(manifest.frames)} frames in {out}; look at {out / 'contact_sheet.png'}")


@prepare_app.command("folder")
def prepare_folder(
    source: Annotated[Path, typer.Argument(help="Folder of photos, videos or extracted frames.")],
    out: Annotated[Path, typer.Argument(help="Folder of the prepared data set.")],
    domain: Annotated[str | None, typer.Option(help="Name of the domain. [from the folders]")] = None,
    table: Annotated[Path | None, typer.Option(help="CSV that says what each file is.")] = None,
    images: Annotated[
        Literal["auto", "photos", "frames"], typer.Option(help="What a folder of images holds.")
    ] = "auto",
    frames: Annotated[int, typer.Option(help="Frames a recording; 0 takes all.")] = 8,
    stride: Annotated[int, typer.Option(help="Look at every n-th frame only.")] = 1,
    margin: Annotated[float, typer.Option(help="Share of the face box added on each side.")] = 0.15,
    size: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 256,
    detector: Annotated[Literal["blazeface", "given", "none"], typer.Option(help="Who finds the face.")] = "blazeface",
    align: Annotated[Literal["none", "eyes"], typer.Option(help="Turn the crop until the eyes are level.")] = "none",
    max_rejected: Annotated[int | None, typer.Option(help="Exit with 3 if more recordings are rejected.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes. [all cores]")] = None,
    seed: Annotated[int, typer.Option(help="Of the split, where the folders name none.")] = 0,
) -> None:
    """Find, crop and describe the faces of a folder of photos and videos.

    Example: dgfas prepare folder my-videos data/mine --domain office
    """
    from dgfas.datasets.folder import read_folder
    from dgfas.faces.options import PrepareOptions
    from dgfas.faces.prepare import prepare
    from dgfas.faces.sheet import write_sheet

    reading = read_folder(source, domain=domain, table=table, seed=seed, images=images)
    options = PrepareOptions(
        frames_per_recording=frames or None,
        stride=stride,
        margin=margin,
        size=size,
        detector=detector,
        align=align,
        max_rejected=max_rejected,
        workers=workers or os.cpu_count() or 1,
    )
    for note in reading.notes:
        say(f"note: {note}")
    with bars() as report:
        result = prepare(
            reading.recordings,
            out,
            options,
            progress=lambda done, total: report.progress("preparing recordings", done, total),
        )
    if len(result.manifest.frames):
        write_sheet(result.manifest, out / "sheet.png")
        say(f"look at {out / 'sheet.png'}")
    say(
        f"{result.recordings} recordings, {len(result.manifest.frames)} frames, {result.rejected} rejected"
        + (f" (see {out / 'rejected.csv'})" if result.rejected else "")
    )
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def doctor(
    fetch_models: Annotated[bool, typer.Option("--fetch-models", help="Fetch the face-finding models.")] = False,
) -> None:
    """Check what this machine has.

    Example: dgfas doctor --fetch-models
    """
    from dgfas.faces import models

    if fetch_models:
        with bars() as report:
            models.fetch_models(report.note)
    faults = 0
    for name in models.MODELS:
        try:
            say(f"face model {name}: {models.model_path(name)}")
        except UserError as error:
            faults += 1
            say(f"face model {name}: {error}")
    try:
        import torch
    except ImportError:
        say("torch: not installed; `pip install dgfas[train]` to train")
    else:
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
        say(f"torch: {torch.__version__}, {gpu}, {torch.get_num_threads()} threads")
    if faults:
        raise typer.Exit(EXIT_USER_ERROR)
