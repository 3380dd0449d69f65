"""Verbs that make data: simulate and prepare."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dgfas.cli.shared import bars, say

if TYPE_CHECKING:
    from dgfas.core.manifest import Manifest
    from dgfas.core.recording import Recording
    from dgfas.faces.options import PrepareOptions

# The options that all preparations share.
Frames = Annotated[int, typer.Option(help="Frames taken from each recording; 0 takes all.")]
Stride = Annotated[int, typer.Option(help="Look at every n-th frame only.")]
Margin = Annotated[float, typer.Option(help="Share of the face's box added on each side.")]
Size = Annotated[int, typer.Option(help="Side of a face crop in pixels.")]
Detector = Annotated[
    Literal["blazeface", "given", "none"],
    typer.Option(help="Who finds the face; given: the data's boxes, none: the images are crops already."),
]
Align = Annotated[Literal["none", "eyes"], typer.Option(help="eyes: turn the crop until the eyes are level.")]
MaxRejected = Annotated[int | None, typer.Option(help="Exit with code 3 if more recordings than this are rejected.")]
Workers = Annotated[int | None, typer.Option(help="Processes.  [default: all cores]")]
ShardText = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Prepare the i-th of n parts; `prepare merge` joins them.")
]
DepthMaps = Annotated[
    Path | None,
    typer.Option("--depth", metavar="FOLDER", help="Depth maps made elsewhere, in folders as those of SOURCE."),
]

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
    seed: Annotated[int, typer.Option(help="Of the split into train, dev and test, where no folder names one.")] = 0,
) -> None:
    """Find, crop and describe the faces in a folder.

    Folder names say what is live or spoof, whose face it is, and which domain and split it belongs to:
    live/anna/clip.mp4, print/anna/photo.jpg. A stopped preparation goes on with the same command.

    Example: dgfas prepare folder my-videos data/mine --domain office
    """
    from dgfas.datasets.folder import read_folder
    from dgfas.faces.options import PrepareOptions

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
    run_preparation(reading.recordings, reading.notes, out, options, source, shard, depth)


def run_preparation(
    recordings: list[Recording],
    notes: list[str],
    out: Path,
    options: PrepareOptions,
    source: Path,
    shard: str | None,
    depth: Path | None,
) -> None:
    """Prepare recordings with a bar, say what came of it, and exit with code 3 if too many were rejected."""
    from dgfas.datasets.depth_maps import with_depth_maps
    from dgfas.faces.prepare import prepare
    from dgfas.faces.shards import parse_shard

    for note in notes:
        say(f"note: {note}")
    if depth is not None:
        recordings = with_depth_maps(recordings, source, depth)
    if shard is not None:
        part = parse_shard(shard)
        recordings = part.of(recordings)
        part.mark(out)
    with bars() as report:
        result = prepare(recordings, out, options, report)
    _show(result.manifest)
    if result.noted:
        say(f"note: {result.noted} recordings seem to lie turned; see the column note of {out / 'recordings.csv'}")
    say(
        f"{result.recordings} recordings, {len(result.manifest.frames)} frames, {result.rejected} rejected"
        + (f" (see {out / 'rejected.csv'})" if result.rejected else "")
    )
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _show(manifest: Manifest) -> None:
    """Write what a person looks at before training on a prepared data set, and say where it is."""
    from dgfas.faces.sheet import write_sheet
    from dgfas.reporting.html.preparation import write_preparation_report

    page = manifest.root / "report.html"
    write_preparation_report(manifest.root, page)
    if len(manifest.frames):
        write_sheet(manifest, manifest.root / "sheet.png")
        say(f"look at {manifest.root / 'sheet.png'}, {page}")
    else:
        say(f"look at {page}")


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
    _show(manifest)
    say(f"{len(manifest.frames)} frames in {out}, {len(manifest.rejected)} recordings rejected")
