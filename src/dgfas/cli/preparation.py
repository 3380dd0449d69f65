"""What the verbs of `prepare` share: their options, where the work is done, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dgfas.cli.shared import Where, bars, say
from dgfas.core.errors import UserError
from dgfas.core.work import cores

if TYPE_CHECKING:
    from dgfas.core.manifest import Manifest
    from dgfas.core.progress import Silent
    from dgfas.core.recording import Recording
    from dgfas.faces.options import PrepareOptions
    from dgfas.faces.prepare import PrepareResult
    from dgfas.faces.shards import Shard

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


@dataclass(frozen=True)
class Preparation:
    """How recordings are prepared: by which options, which part of them, and where."""

    options: PrepareOptions
    shard: Shard | None
    depth: Path | None
    on: Where
    address: str | None

    @classmethod
    def of(
        cls,
        frames: int,
        stride: int,
        margin: float,
        size: int,
        detector: Literal["blazeface", "given", "none"],
        align: Literal["none", "eyes"],
        max_rejected: int | None,
        workers: int | None,
        shard: str | None,
        depth: Path | None,
        on: Where,
        address: str | None,
    ) -> Preparation:
        """Return what the options of the command line say. Raises UserError if they do not go together."""
        from dgfas.faces.options import PrepareOptions
        from dgfas.faces.shards import parse_shard

        if on is Where.ray and shard is not None:
            raise UserError("--on ray prepares all parts on a cluster, --shard one of them here; leave one out")
        if on is not Where.ray and address is not None:
            raise UserError("--address goes with --on ray")
        if address is not None and workers is not None:
            raise UserError("--workers is for this machine; at --address all CPUs of the cluster work; leave one out")
        options = PrepareOptions(
            frames_per_recording=frames or None,
            stride=stride,
            margin=margin,
            size=size,
            detector=detector,
            align=align,
            max_rejected=max_rejected,
            workers=workers or cores(),
        )
        return cls(options, None if shard is None else parse_shard(shard), depth, on, address)

    def run(self, recordings: list[Recording], notes: list[str], source: Path, out: Path) -> None:
        """Prepare recordings with a bar, say what came of it, and exit with code 3 if too many were rejected."""
        from dgfas.datasets.depth_maps import with_depth_maps

        if out.resolve() == source.resolve():
            raise UserError(f"{out}: is SOURCE; name a folder of its own for OUT")
        for note in notes:
            say(f"note: {note}")
        if self.depth is not None:
            recordings = with_depth_maps(recordings, source, self.depth)
        if self.shard is not None:
            recordings = self.shard.of(recordings)
            self.shard.mark(out)
        with bars() as report:
            result = self._prepare(recordings, out, report)
        show(result.manifest)
        if result.noted:
            say(f"note: {result.noted} recordings seem to lie turned; see the column note of {out / 'recordings.csv'}")
        if result.left_out:
            say(f"note: {result.left_out} recordings that were prepared before are not among these and were left out")
        say(
            f"{result.recordings} recordings, {len(result.manifest.frames)} frames, {result.rejected} rejected"
            + (f" (see {out / 'rejected.csv'})" if result.rejected else "")
        )
        if result.exit_code:
            raise typer.Exit(result.exit_code)

    def _prepare(self, recordings: list[Recording], out: Path, report: Silent) -> PrepareResult:
        from dgfas.benchmark.cluster import joined
        from dgfas.faces.machines import prepare_on
        from dgfas.faces.prepare import prepare

        if self.on is Where.processes:
            return prepare(recordings, out, self.options, report)
        with joined(self.address, self.options.workers, gpus_per_job=0) as cluster:
            return prepare_on(cluster, recordings, out, self.options, report)


def show(manifest: Manifest) -> None:
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
