"""Preparation by several machines at once, all of which write into one shared folder.

The recordings that wait are divided into shards as `--shard` does. A machine writes what it finishes where one run
would have written it, so that the end of one run joins it all.
"""

import os
import platform
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.core.work import Died, Executor
from dgfas.faces.finder import FaceFinder
from dgfas.faces.given import given_files
from dgfas.faces.options import PrepareOptions
from dgfas.faces.parallel import run_alone
from dgfas.faces.prepare import PrepareResult, prepare
from dgfas.faces.record import ROWS_FOLDER, Store
from dgfas.faces.shards import Shard

SHARDS = 1000  # at most
MARK_NAME = "machines.mark"  # in the data set's folder while machines work: who finds it there sees this folder


def prepare_on(
    executor: Executor,
    recordings: Sequence[Recording],
    root: Path,
    options: PrepareOptions,
    report: Silent | None = None,
) -> PrepareResult:
    """Do what `prepare` does, with the same result, by the machines of `executor`.

    Under the same paths they must see the same sources, with the same times, and the same folder `root`. What a shard
    leaves because its process or machine died is tried once more, each recording by itself, and at last here; a
    recording whose process dies even then is rejected.

    Raises UserError as `prepare` does, and naming the machine that has not the same files, cannot write into `root`,
    or lacks the models or this version.
    """
    report = report or Silent()
    together = -(-len(recordings) // SHARDS)  # recordings of a shard: they are heard of at once
    options = replace(options, workers=executor.at_once * together)
    return prepare(recordings, root, options, report, partial(_run, executor, report))


def _run(
    executor: Executor, report: Silent, recordings: Sequence[Recording], store: Store, at_once: int
) -> Iterator[Recording]:
    if not recordings:
        return
    shards = [Shard(index, count) for count in [min(len(recordings), SHARDS)] for index in range(1, count + 1)]
    mark = uuid.uuid4().hex
    write_whole(store.root / MARK_NAME, mark)
    try:
        left = yield from _finish(executor, report, {f"shard {s}": s.of(recordings) for s in shards}, store, mark)
        if left:
            report.note(f"{len(left)} recordings are tried once more, each by itself")
            left = yield from _finish(executor, report, {f"{r.domain}/{r.name}": [r] for r in left}, store, mark)
        yield from run_alone(left, store)
    finally:
        (store.root / MARK_NAME).unlink(missing_ok=True)


def _finish(
    executor: Executor, report: Silent, shards: Mapping[str, Sequence[Recording]], store: Store, mark: str
) -> Generator[Recording, None, list[Recording]]:
    """Have shards processed, yield each finished recording, and return those that a death left unfinished."""
    calls = [(name, (shard, store, mark, Path.cwd())) for name, shard in shards.items()]
    left = []
    for answer in executor.answers(_process, calls, report):
        if answer.error is not None and not isinstance(answer.error, Died):
            raise answer.error
        with os.scandir(store.root / ROWS_FOLDER):
            pass  # a network file system looks for new files in a folder when it is opened
        for recording in calls[answer.number][1][0]:
            if store.finished(recording) is not None:
                yield recording
            elif answer.error is None:
                raise UserError(
                    f"machine {answer.result}: {recording.sources[0]} is missing there, or not of the size and time "
                    "that it has here; every machine must see the same files"
                )
            else:
                left.append(recording)
    return left


def _process(recordings: Sequence[Recording], store: Store, mark: str, folder: Path, report: Silent) -> str:
    """Process, on a machine, those of the recordings that are not finished; return the machine's name.

    `folder` is where relative paths begin.
    """
    machine = platform.node()
    with suppress(OSError):  # without relative paths it need not be there
        os.chdir(folder)
    try:
        _require_same(store, mark)
        finder = _finder(store.options)
        for recording in recordings:
            if store.finished(recording) is None:
                missing = [path for path in given_files(recording) if not path.exists()]
                if missing:
                    raise UserError(f"{missing[0]} is missing there; every machine must see the same files")
                store.process(recording, finder)
    except UserError as error:
        raise UserError(f"machine {machine}: {error}") from error
    except OSError as error:  # of writing; what cannot be read is rejected
        raise UserError(
            f"machine {machine}: {store.root} cannot be written there ({error}); mend that and run again, finished "
            "recordings are kept"
        ) from error
    return machine


def _require_same(store: Store, mark: str) -> None:
    try:
        seen = (store.root / MARK_NAME).read_text()
    except OSError:
        seen = ""
    if seen != mark:
        raise UserError(f"{store.root} is not the same folder there as here; OUT must be one that all machines share")
    if store.made_with != Store(store.root, store.options).made_with:
        raise UserError("has another version of dgfas; every machine needs the same")


@lru_cache(maxsize=1)
def _finder(options: PrepareOptions) -> FaceFinder:
    return FaceFinder(options)
