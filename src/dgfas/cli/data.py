"""Verbs that make data: simulate and prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from dgfas.cli.preparation import (
    Align,
    DepthMaps,
    Detector,
    Frames,
    Margin,
    MaxRejected,
    Preparation,
    ShardText,
    Size,
    Stride,
    Workers,
    show,
)
from dgfas.cli.shared import Address, On, Where, bars, say

prepare_app = typer.Typer(
    no_args_is_help=True,
    help="""Turn photos and videos into a prepared data set.

    Example: dgfas prepare folder my-videos data/mine
    """,
)


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the new data set.")],
    domain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="desk, webcam, laptop, phone or a YAML file; may be repeated.  [default: all four]",
        ),
    ] = None,
    subjects: Annotated[int, typer.Option(help="People in each domain; nobody is in two.")] = 60,
    live_recordings: Annotated[int, typer.Option(help="Live recordings of each person.")] = 2,
    spoof_recordings: Annotated[int, typer.Option(help="Attacks on each person (prints, replays).")] = 2,
    frames: Annotated[int, typer.Option(help="Consecutive frames in each recording.")] = 8,
    image_size: Annotated[int, typer.Option(help="Side of a face crop in pixels, divisible by 8.")] = 64,
    seed: Annotated[int, typer.Option(help="Another seed draws other people.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: all cores]")] = None,
) -> None:
    """Draw a data set of simulated faces and attacks.

    Four capture domains differ in camera, light and attack instruments. A stopped drawing goes on with the same
    command.

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
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of photos, videos or extracted frames.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the prepared data set.")],
    domain: Annotated[str | None, typer.Option(help="Name of the domain.  [default: from the folders]")] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table that says what each file is: path, label, subject, ...")
    ] = None,
    images: Annotated[
        Literal["auto", "photos", "frames"],
        typer.Option(help="What images are: photos of their own, or a folder the frames of one recording."),
    ] = "auto",
    frames: Frames = 8,
    stride: Stride = 1,
    margin: Margin = 0.15,
    size: Size = 256,
    detector: Detector = "blazeface",
    align: Align = "none",
    max_rejected: MaxRejected = None,
    workers: Workers = None,
    shard: ShardText = None,
    depth: DepthMaps = None,
    on: On = Where.processes,
    address: Address = None,
    seed: Annotated[int, typer.Option(help="Of the split into train, dev and test, where no folder names one.")] = 0,
) -> None:
    """Find, crop and describe the faces in a folder.

    Folder names say what is live or spoof, whose face it is, and which domain and split it belongs to:
    live/anna/clip.mp4, print/anna/photo.jpg. A stopped preparation goes on with the same command.

    Example: dgfas prepare folder my-videos data/mine --domain office
    """
    from dgfas.datasets.folder import read_folder

    preparation = Preparation.of(
        frames, stride, margin, size, detector, align, max_rejected, workers, shard, depth, on, address
    )
    reading = read_folder(source, domain=domain, table=table, seed=seed, images=images)
    preparation.run(reading.recordings, reading.notes, source, out)


@prepare_app.command("merge")
def prepare_merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the joined data set.")],
    shards: Annotated[list[Path], typer.Argument(metavar="SHARD...", help="Folders prepared with --shard i/n.")],
) -> None:
    """Join the parts of a data set that --shard made.

    They may come from several machines. The result is that of one preparation.

    Example: dgfas prepare merge data/mine part-1 part-2
    """
    from dgfas.faces.shards import merge

    with bars() as report:
        manifest = merge(out, shards, report)
    show(manifest)
    say(f"{len(manifest.frames)} frames in {out}, {len(manifest.rejected)} recordings rejected")
