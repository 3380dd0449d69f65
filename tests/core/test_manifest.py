"""The manifest's schema: every breach names its row and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.core.manifest import (
    MANIFEST_NAME,
    MIXTURE,
    REJECTED_COLUMNS,
    REJECTED_NAME,
    SCHEMA,
    Manifest,
    check_frames,
    write_manifest,
)

PATH = Path("data/manifest.parquet")


def good_frames() -> pd.DataFrame:
    """Return a live subject's two frames, a print of another subject, and a recording of unknown label."""
    columns = {
        "domain": ["desk", "desk", "desk", "desk"],
        "subject": ["1", "1", "2", "3"],
        "recording": ["live", "live", "print", "unlabelled"],
        "frame": [0, 1, 0, 0],
        "split": ["train", "train", "test", "dev"],
        "label": pd.array([1, 1, 0, None], dtype="Int64"),
        "species": ["live", "live", "print", "unknown"],
        "face": ["a.png", "b.png", "c.png", "d.png"],
        "depth": ["a-depth.png", None, None, None],
        "depth_kind": ["map", "unknown", "zero", "unknown"],
        "camera": ["webcam", None, "phone", None],
    }
    return pd.DataFrame(columns)


def test_a_good_manifest_is_written_and_read_back(tmp_path: Path) -> None:
    rejected = pd.DataFrame([dict.fromkeys(REJECTED_COLUMNS, "7") | {"recording": "007", "split": "dev", "label": 0}])
    write_manifest(tmp_path, good_frames(), rejected)
    manifest = Manifest.read(tmp_path)
    pd.testing.assert_frame_equal(manifest.frames, good_frames())
    assert manifest.rejected["recording"].tolist() == ["007"]
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.parametrize("named", [True, False])
def test_the_rejected_recordings_of_a_mixture_are_of_it_too(tmp_path: Path, named: bool) -> None:
    rejected = pd.DataFrame([dict.fromkeys(REJECTED_COLUMNS, "desk") | {"split": "dev", "label": 0}])
    write_manifest(tmp_path, good_frames(), rejected)
    good_frames().drop(columns="domain").to_parquet(tmp_path / MANIFEST_NAME)
    rejected.drop(columns=[] if named else "domain").to_csv(tmp_path / REJECTED_NAME, index=False)
    manifest = Manifest.read(tmp_path)
    assert manifest.frames["domain"].unique().tolist() == manifest.rejected["domain"].tolist() == [MIXTURE]


def test_device_session_and_condition_are_texts_and_stay_with_rejected_recordings(tmp_path: Path) -> None:
    frames = good_frames().assign(device=["1", "1", None, "2"])
    rejected = pd.DataFrame([dict.fromkeys(REJECTED_COLUMNS, "7") | {"split": "dev", "label": 0, "session": "03"}])
    write_manifest(tmp_path, frames, rejected)
    assert Manifest.read(tmp_path).frames["device"].dropna().tolist() == ["1", "1", "2"]
    assert Manifest.read(tmp_path).rejected["session"].tolist() == ["03"]
    with pytest.raises(UserError, match=r"row 0, column 'session': 3 is not a text"):
        check_frames(frames.assign(session=3), PATH)


@pytest.mark.parametrize("name", ["2024", "007", "1.0", "NA", "None", "true"])
def test_names_of_rejected_recordings_stay_texts(tmp_path: Path, name: str) -> None:
    rejected = pd.DataFrame([dict.fromkeys(REJECTED_COLUMNS, name) | {"split": "dev", "label": 0, "device": name}])
    write_manifest(tmp_path, good_frames(), rejected)
    row = Manifest.read(tmp_path).rejected.iloc[0]
    assert row[["domain", "subject", "recording", "species", "source", "reason", "device"]].tolist() == [name] * 7
    assert row["label"] == 0


def test_nothing_rejected_is_an_empty_table(tmp_path: Path) -> None:
    write_manifest(tmp_path, good_frames())
    assert Manifest.read(tmp_path).rejected.columns.tolist() == REJECTED_COLUMNS
    (tmp_path / "rejected.csv").unlink()
    assert Manifest.read(tmp_path).rejected.columns.tolist() == REJECTED_COLUMNS


def test_a_label_may_be_a_plain_number() -> None:
    frames = good_frames()
    frames["label"] = [1, 1.0, 0, None]
    check_frames(frames, PATH)


@pytest.mark.parametrize("column", SCHEMA)
def test_every_column_is_needed(column: str) -> None:
    with pytest.raises(UserError, match=rf"manifest.parquet: column '{column}' is missing"):
        check_frames(good_frames().drop(columns=column), PATH)


def test_a_misspelt_column_is_shown() -> None:
    with pytest.raises(UserError, match=r"column 'species' is missing \(did you mean 'specis'"):
        check_frames(good_frames().rename(columns={"species": "specis"}), PATH)


@pytest.mark.parametrize("column", [column for column, (_, may_be_empty) in SCHEMA.items() if not may_be_empty])
def test_a_cell_that_must_not_be_empty(column: str) -> None:
    frames = good_frames().astype({column: object})
    frames.loc[2, column] = None
    with pytest.raises(UserError, match=rf"manifest.parquet: row 2, column '{column}': None is empty"):
        check_frames(frames, PATH)


@pytest.mark.parametrize(
    ("column", "row", "value", "fault"),
    [
        ("frame", 1, 1.5, "1.5 is not a whole number"),
        ("frame", 1, "one", "'one' is not a whole number"),
        ("label", 2, 2, "2 is neither 0 .spoof. nor 1 .live."),
        ("label", 2, "spoof", "'spoof' is not a whole number"),
        ("species", 3, "", "'' is not a text"),
        ("recording", 3, 4, "4 is not a text"),
        ("split", 3, "devel", "'devel' is not one of train, dev, test"),
        ("depth_kind", 2, "flat", "'flat' is not one of map, zero, unknown"),
        ("depth_kind", 1, "map", "(None|nan) is empty although depth_kind is 'map'"),
        ("depth", 2, "d.png", "'d.png' is given although depth_kind is not 'map'"),
        ("frame", 1, 0, "0 is a frame that the recording already has"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(column: str, row: int, value: Any, fault: str) -> None:
    frames = good_frames().astype({column: object})
    frames.loc[row, column] = value
    named = "depth" if "although" in fault else column
    with pytest.raises(UserError, match=rf"^data/manifest.parquet: row {row}, column '{named}': {fault}"):
        check_frames(frames, PATH)


def test_a_subject_is_in_one_split_only_but_may_be_another_domains_too() -> None:
    frames = good_frames()
    frames.loc[2, "subject"] = "1"
    with pytest.raises(UserError, match="column 'split': subject '1' of domain 'desk' is in more than one split"):
        check_frames(frames, PATH)
    frames.loc[2, "domain"] = "hall"
    check_frames(frames, PATH)


def test_nothing_wrong_is_ever_written(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        write_manifest(tmp_path, good_frames().drop(columns="split"))
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest.parquet: not found; `dgfas prepare` or `dgfas simulate`"):
        Manifest.read(tmp_path)
    write_manifest(tmp_path, good_frames())
    (tmp_path / "rejected.csv").write_text("domain,subject\n")
    with pytest.raises(UserError, match=r"rejected.csv: column 'recording' is missing"):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match=r"manifest.parquet: not a readable Parquet file"):
        Manifest.read(tmp_path)


def test_files_that_the_manifest_names_must_be_there(tmp_path: Path) -> None:
    write_manifest(tmp_path, good_frames())
    for name in ("a.png", "b.png", "c.png", "a-depth.png"):
        (tmp_path / name).touch()
    manifest = Manifest.read(tmp_path)
    with pytest.raises(UserError, match=r"row 3, column 'face' points to d.png, which does not exist"):
        manifest.check_files()
    (tmp_path / "d.png").touch()
    manifest.check_files()
    (tmp_path / "a-depth.png").unlink()
    with pytest.raises(UserError, match=r"row 0, column 'depth' points to a-depth.png"):
        manifest.check_files()


def test_the_content_hash_sees_the_schemas_columns_and_the_rejected_recordings(tmp_path: Path) -> None:
    write_manifest(tmp_path, good_frames())
    manifest = Manifest.read(tmp_path)
    same = Manifest(tmp_path, good_frames().assign(camera="other"), manifest.rejected)
    assert same.content_hash == manifest.content_hash
    other_frames = good_frames()
    other_frames.loc[0, "species"] = "mask"
    rejected = pd.DataFrame([dict.fromkeys(REJECTED_COLUMNS, "x")])
    hashes = {
        manifest.content_hash,
        Manifest(tmp_path, other_frames, manifest.rejected).content_hash,
        Manifest(tmp_path, good_frames(), rejected).content_hash,
    }
    assert len(hashes) == 3
