"""`dgfas prepare oulu-npu PATH OUT` and its like: one verb for each published data set."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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
)
from dgfas.cli.shared import Address, On, Where
from dgfas.core.errors import UserError
from dgfas.datasets.registry import find_reader, readers


class Preparations(TyperGroup):
    """Takes the path of a reader of one's own (my_set.py) for a verb, too."""

    def get_command(self, ctx: Any, name: str) -> Any:
        if not name.endswith(".py"):
            return super().get_command(ctx, name)
        command = copy(super().get_command(ctx, readers()[0].word))
        assert command is not None
        command.help = _about(find_reader(name).title, name)
        return command


def add_data_sets(app: typer.Typer) -> None:
    """Add a verb for each published data set to `prepare`."""
    app.info.cls = Preparations
    for reader in readers():
        app.command(reader.word, help=_about(reader.title, reader.word))(_prepare_data_set)


def _about(title: str, word: str) -> str:
    return f"Prepare {title} from its folder.\n\nExample: dgfas prepare {word} SOURCE OUT"


def _prepare_data_set(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of the data set as it was published.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the prepared data set.")],
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
) -> None:
    from dgfas.datasets.completeness import compare
    from dgfas.datasets.reading import read_data_set

    reader = find_reader(context.info_name or "")
    preparation = Preparation.of(
        frames, stride, margin, size, detector, align, max_rejected, workers, shard, depth, on, address
    )
    reading = read_data_set(reader, source)
    completeness = compare(reader, reading)
    notes = list(reading.notes)
    if not completeness.complete:
        if reading.archives:
            raise UserError(
                f"{source}: {completeness.lines[-1]}, and archives that were not unpacked wholly "
                f"({reading.archives[0]}, ...): unpack them, or move them elsewhere to prepare what is there"
            )
        notes.append(f"{completeness.lines[-1]}; `dgfas doctor {context.info_name} {source}` says what is missing")
    preparation.run(reading.recordings, notes, source, out)
