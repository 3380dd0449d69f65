"""The verb doctor: what this machine has, and whether a published data set is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgfas.cli.shared import EXIT_USER_ERROR, bars, say
from dgfas.core.errors import UserError

EXIT_INCOMPLETE = 3


def doctor(
    data_set: Annotated[
        str | None,
        typer.Argument(metavar="DATA_SET", help="Published data set to check, or the .py file of a reader."),
    ] = None,
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="Its folder.")] = None,
    names: Annotated[int, typer.Option(help="Names shown of what is missing or extra.")] = 5,
    fetch_models: Annotated[
        bool, typer.Option("--fetch-models", help="Download the face-finding models first (7 MB).")
    ] = False,
) -> None:
    """Check what this machine has, or whether a data set is whole.

    Without DATA_SET: face models and torch. With it: what is missing or extra in its folder, and what that does to each
    protocol; the exit code is 3 if it is incomplete.

    Example: dgfas doctor oulu-npu /data/oulu
    """
    if data_set is not None:
        _check_data_set(data_set, path, names)
        return
    _check_machine(fetch_models)


def _check_data_set(data_set: str, path: Path | None, names: int) -> None:
    from dgfas.datasets.completeness import compare
    from dgfas.datasets.reading import read_data_set
    from dgfas.datasets.registry import find_reader

    reader = find_reader(data_set)
    if path is None:
        raise UserError(f"dgfas doctor {data_set}: name the folder of {reader.title} too")
    reading = read_data_set(reader, path)
    completeness = compare(reader, reading, names)
    for line in [*completeness.lines[:-1], *(f"note: {note}" for note in reading.notes), completeness.lines[-1]]:
        say(line)
    if not completeness.complete:
        raise typer.Exit(EXIT_INCOMPLETE)


def _check_machine(fetch_models: bool) -> None:
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
        say('torch: not installed; to train, pip install "dgfas[train]"')
    else:
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
        say(f"torch: {torch.__version__}, {gpu}, {torch.get_num_threads()} threads")
    if faults:
        raise typer.Exit(EXIT_USER_ERROR)
