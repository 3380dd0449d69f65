"""The manifest of a prepared data set: one row a frame, checked whenever it is read."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dgfas.core.errors import UserError, nearest
from dgfas.core.files import write_whole
from dgfas.core.label import Label
from dgfas.core.recording import KNOWN_FACTORS, SPLITS

MANIFEST_NAME = "manifest.parquet"
REJECTED_NAME = "rejected.csv"
PREPARED_NAME = "prepare.json"  # how a data set was prepared from photos and videos; there from the start
SIMULATED_NAME = "simulation.json"  # how a data set was drawn; there from the start

#: What the depth map of a frame is: a file, all zeros (flat attack), or not known (masked out of the loss).
DEPTH_KINDS = ("map", "zero", "unknown")

#: column -> (what a cell holds, whether it may be empty)
SCHEMA: dict[str, tuple[str, bool]] = {
    "domain": ("text", False),
    "subject": ("text", False),
    "recording": ("text", False),
    "frame": ("integer", False),  # position in the recording's stream; neighbours differ by one
    "split": ("text", False),
    "label": ("integer", True),  # Label.LIVE or Label.SPOOF; empty where unknown (data for scoring only)
    "species": ("text", False),
    "face": ("text", False),  # the crop, relative to the data set's folder
    "depth": ("text", True),  # the depth map of a frame whose depth_kind is "map"
    "depth_kind": ("text", False),
}
#: The domain of every frame of a manifest without the column `domain`: a mixture of unknown sources.
MIXTURE = "mixture"

REJECTED_COLUMNS = ["domain", "subject", "recording", "split", "label", "species", "source", "reason"]


def is_data_set(folder: Path) -> bool:
    """Say whether a prepared data set lies in the folder, or one that was begun."""
    return any((folder / name).is_file() for name in (MANIFEST_NAME, PREPARED_NAME, SIMULATED_NAME))


@dataclass(frozen=True)
class Manifest:
    """The frames of one prepared data set, and where they lie.

    `frames` has the columns of `SCHEMA`; further columns may follow: `KNOWN_FACTORS` (text, empty where unknown), other
    factors, face boxes.
    `rejected` has one row a recording without a usable face: the non-responses of the evaluation. Its columns are
    `REJECTED_COLUMNS` and those of `KNOWN_FACTORS` that its recordings have.
    """

    root: Path
    frames: pd.DataFrame
    rejected: pd.DataFrame

    @classmethod
    def read(cls, root: str | Path) -> "Manifest":
        """Read and check the data set in folder `root`; without a column `domain` all of it is of domain `MIXTURE`.

        Raises UserError naming the row and column at fault.
        """
        root = Path(root)
        path = root / MANIFEST_NAME
        if not path.is_file():
            raise UserError(f"{path}: not found; `dgfas prepare` or `dgfas simulate` makes a prepared data set")
        try:
            frames = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: not a readable Parquet file ({error}); prepare the data set again") from error
        domain = None if "domain" in frames else MIXTURE
        if domain is not None:
            frames.insert(0, "domain", domain)
        check_frames(frames, path)
        return cls(root, frames, _read_rejected(root / REJECTED_NAME, domain))

    def check_files(self) -> None:
        """Raise UserError if a crop or depth map that the manifest names is not on disk."""
        for column in ("face", "depth"):
            for row, name in self.frames[column].dropna().items():
                if not (self.root / name).is_file():
                    raise UserError(
                        f"{self.root / MANIFEST_NAME}: row {row}, column {column!r} points to {name}, "
                        "which does not exist; prepare the data set again or restore the file"
                    )

    @property
    def content_hash(self) -> str:
        """SHA-256 over the rows of the manifest and of the rejected recordings, independent of the file format."""
        text = self.frames[list(SCHEMA)].to_csv(index=False) + self.rejected[REJECTED_COLUMNS].to_csv(index=False)
        return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(root: Path, frames: pd.DataFrame, rejected: pd.DataFrame | None = None) -> None:
    """Check and write the manifest and the rejected recordings into folder `root`, each file atomically."""
    check_frames(frames, root / MANIFEST_NAME)
    if rejected is None:
        rejected = pd.DataFrame(columns=REJECTED_COLUMNS)
    known = [name for name in KNOWN_FACTORS if name in rejected]
    write_whole(root / REJECTED_NAME, rejected[REJECTED_COLUMNS + known].to_csv(index=False))
    write_whole(root / MANIFEST_NAME, frames.to_parquet(index=False))


def _read_rejected(path: Path, domain: str | None) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=REJECTED_COLUMNS)
    try:
        rejected = read_recordings(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a readable CSV table ({error}); prepare the data set again") from error
    if domain is not None:
        rejected["domain"] = domain
    missing = [column for column in REJECTED_COLUMNS if column not in rejected]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing; prepare the data set again")
    _check_labels(rejected, path)
    return rejected


def read_recordings(path: Path) -> pd.DataFrame:
    """Read a CSV table with a row a recording, as `dgfas prepare` writes it; names such as 2024 and NA stay texts."""
    texts = [name for name in (*REJECTED_COLUMNS, *KNOWN_FACTORS, "note") if name != "label"]
    return pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=[""])


def check_frames(frames: pd.DataFrame, path: Path) -> None:
    """Raise UserError naming the first row and column of `frames` that breaks the schema."""
    for column, (kind, may_be_empty) in SCHEMA.items():
        if column not in frames:
            raise UserError(f"{path}: column {column!r} is missing ({nearest(column, frames.columns)})")
        cells = frames[column]
        if not may_be_empty:
            _check_rows(cells.notna(), cells, path, "is empty")
        filled = cells.dropna()
        if kind == "integer":
            numbers = pd.to_numeric(filled, errors="coerce")
            _check_rows(numbers.notna() & (numbers % 1 == 0), filled, path, "is not a whole number")
        else:
            _check_rows(filled.map(lambda cell: isinstance(cell, str) and cell != ""), filled, path, "is not a text")
    for column in [name for name in KNOWN_FACTORS if name in frames]:
        filled = frames[column].dropna()
        _check_rows(filled.map(lambda cell: isinstance(cell, str) and cell != ""), filled, path, "is not a text")
    _check_labels(frames, path)
    kinds = frames["depth_kind"]
    _check_rows(kinds.isin(DEPTH_KINDS), kinds, path, f"is not one of {', '.join(DEPTH_KINDS)}")
    depth = frames["depth"]
    _check_rows((kinds != "map") | depth.notna(), depth, path, "is empty although depth_kind is 'map'")
    _check_rows((kinds == "map") | depth.isna(), depth, path, "is given although depth_kind is not 'map'")
    twins = frames.duplicated(["domain", "recording", "frame"])
    _check_rows(~twins, frames["frame"], path, "is a frame that the recording already has")
    _check_subjects(frames, path)


def _check_labels(rows: pd.DataFrame, path: Path) -> None:
    labels = rows["label"].dropna()
    _check_rows(labels.isin(list(Label)), labels, path, "is neither 0 (spoof) nor 1 (live)")
    _check_rows(rows["split"].isin(SPLITS), rows["split"], path, f"is not one of {', '.join(SPLITS)}")
    species = rows.loc[labels.index, "species"]
    fits = (labels == Label.LIVE) == (species == "live")
    _check_rows(fits, species, path, "contradicts the label: `live` has label 1, every attack 0")


def _check_subjects(frames: pd.DataFrame, path: Path) -> None:
    splits = frames.groupby(["domain", "subject"], observed=True)["split"].nunique()
    shared = splits[splits > 1]
    if len(shared):
        domain, subject = shared.index[0]
        raise UserError(
            f"{path}: column 'split': subject {subject!r} of domain {domain!r} is in more than one split; "
            "every subject must be in exactly one"
        )


def _check_rows(good: pd.Series, cells: pd.Series, path: Path, fault: str) -> None:
    if not good.all():
        row = good.index[~good.to_numpy(dtype=bool)][0]
        cell = cells.loc[row]
        shown = cell.item() if isinstance(cell, np.generic) else cell
        raise UserError(f"{path}: row {row}, column {cells.name!r}: {shown!r} {fault}")
