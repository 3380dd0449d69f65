"""Preparation divided over machines: each prepares a shard of the recordings, and the shards are joined.

Shard i of n takes every n-th recording from the i-th on, so that the joined data set has the order of one run.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.files import read_json, write_json, write_whole
from dgfas.core.manifest import MANIFEST_NAME, PREPARED_NAME, Manifest, is_data_set, read_recordings, write_manifest
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.faces.prepare import RECORDINGS_NAME
from dgfas.faces.record import ROWS_FOLDER, only_writer

SHARD_NAME = "shard.json"
KEY = ["domain", "recording"]


@dataclass(frozen=True)
class Shard:
    """Number `index` (from 1) of `count` shards."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def of(self, recordings: Sequence[Recording]) -> list[Recording]:
        """Return the recordings of this shard. Raises UserError if there are fewer recordings than shards."""
        if len(recordings) < self.count:
            raise UserError(f"shard {self}: there are only {len(recordings)} recordings; divide them into fewer shards")
        return list(recordings[self.index - 1 :: self.count])

    def mark(self, root: Path) -> None:
        """Write into the data set's folder which shard it is. Raises UserError if it is another one."""
        path = root / SHARD_NAME
        if path.is_file() and read_shard(root) != self:
            raise UserError(f"{root}: holds shard {read_shard(root)}, not {self}; give every shard its own folder")
        if not path.is_file() and (root / PREPARED_NAME).exists():
            raise UserError(f"{root}: holds a data set that is no shard; give every shard its own folder")
        root.mkdir(parents=True, exist_ok=True)
        write_json(path, {"index": self.index, "count": self.count})


def parse_shard(text: str) -> Shard:
    """Read `2/8`. Raises UserError if it is not of that form."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UserError(f"shard {text!r}: write it as i/n, from 1/n to n/n")
    return Shard(int(index), int(count))


def read_shard(root: Path) -> Shard:
    """Return which shard lies in folder `root`. Raises UserError if none does."""
    try:
        return Shard(**read_json(root / SHARD_NAME))
    except (UserError, TypeError) as error:
        raise UserError(f"{root}: is not a shard made by `dgfas prepare ... --shard i/n`") from error


def merge(root: Path, folders: Sequence[Path], report: Silent | None = None) -> Manifest:
    """Join all shards of a data set into folder `root`, with the result of one run over all recordings.

    Crops are linked where the file system allows it and copied elsewhere. A merge that was stopped goes on with the
    same call. Raises UserError if a shard is missing, unfinished or there twice, if their options differ, or if `root`
    holds another data set.
    """
    report = report or Silent()
    shards = _in_order(folders)
    manifests = [Manifest.read(folder) for folder in shards]
    options = [read_json(folder / PREPARED_NAME) for folder in shards]
    for folder, other in zip(shards, options, strict=True):
        for key, value in options[0].items():
            if other.get(key) != value:
                raise UserError(f"{folder}: was prepared with {key} {other.get(key)}, {shards[0]} with {value}")
    counts = _interleaved([read_recordings(folder / RECORDINGS_NAME) for folder in shards])
    _check_target(root, options[0], shards)
    try:
        with only_writer(root):
            for done, folder in enumerate(shards, start=1):
                for part in ("faces", ROWS_FOLDER):
                    _bring(folder / part, root / part)
                report.progress("joining shards", done, len(shards))
            write_json(root / PREPARED_NAME, options[0])
            write_whole(root / RECORDINGS_NAME, counts.to_csv(index=False))
            frames = _joined([manifest.frames for manifest in manifests])
            rejected = _joined([manifest.rejected for manifest in manifests])
            write_manifest(root, _sorted(frames, counts), _sorted(rejected, counts))
    except OSError as error:
        raise UserError(f"{root}: cannot be written ({error}); mend that and merge again") from error
    return Manifest.read(root)


def _check_target(root: Path, options: dict[str, Any], shards: Sequence[Path]) -> None:
    record = root / PREPARED_NAME
    if read_json(record) != options if record.is_file() else is_data_set(root):
        raise UserError(f"{root}: holds another data set; choose a new folder")
    there = {path.name for path in (root / ROWS_FOLDER).glob("*.json")}
    if there and not any((folder / ROWS_FOLDER / name).exists() for folder in shards for name in there):
        raise UserError(f"{root}: was prepared from other recordings; choose a new folder, or delete this one")


def _in_order(folders: Sequence[Path]) -> list[Path]:
    if not folders:
        raise UserError("there is no shard to join; name their folders")
    shards = {folder: read_shard(folder) for folder in folders}
    count = next(iter(shards.values())).count
    found: dict[int, Path] = {}
    for folder, shard in shards.items():
        if shard.count != count:
            raise UserError(f"{folder}: is shard {shard}, others are of {count}; join shards of one division")
        if shard.index in found:
            raise UserError(f"{folder}: is shard {shard}, and so is {found[shard.index]}")
        if not (folder / MANIFEST_NAME).is_file():
            raise UserError(f"{folder}: shard {shard} is not finished; give its `dgfas prepare` again")
        found[shard.index] = folder
    missing = [str(Shard(index, count)) for index in range(1, count + 1) if index not in found]
    if missing:
        raise UserError(f"shard {', '.join(missing)} is missing; name the folders of all {count}")
    return [found[index] for index in sorted(found)]


def _interleaved(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all tables, the first rows first: the order in which they were dealt out."""
    rounds = zip_longest(*(table.to_dict("records") for table in tables))
    table = pd.DataFrame([row for dealt in rounds for row in dealt if row is not None], columns=tables[0].columns)
    return table.astype({name: "Int64" for name in table if pd.api.types.is_numeric_dtype(table[name])})


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all tables; empty ones do not decide on the types of columns."""
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _sorted(rows: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Return rows of recordings in the order of `recordings`."""
    order = {key: number for number, key in enumerate(recordings[KEY].itertuples(index=False, name=None))}
    numbers = [order[key] for key in rows[KEY].itertuples(index=False, name=None)]
    return rows.iloc[sorted(range(len(rows)), key=numbers.__getitem__)].reset_index(drop=True)


def _bring(source: Path, target: Path) -> None:
    """Link or copy all files below `source` that are not yet below `target`, or were made anew since."""
    for path in source.rglob("*"):
        to = target / path.relative_to(source)
        if path.is_dir() or (to.exists() and _stamp(to) == _stamp(path)):
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        temporary = to.with_name(to.name + ".partial")
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:  # another file system
            shutil.copy2(path, temporary)
        os.replace(temporary, to)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
