"""Packing a prepared data set, against decoding each crop again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dgfas.core.errors import UserError
from dgfas.core.manifest import Manifest, write_manifest
from dgfas.data import frames
from dgfas.data.frames import pack

SIDES = [48, 40, 32, 64]  # the crops are 48 pixels wide


def plain_images(manifest: Manifest, side: int) -> np.ndarray:
    """Decode each crop twice with Pillow, once as RGB and once as HSV; resize before the colour conversion."""
    stacks = []
    for name in manifest.frames["face"]:
        rgb = Image.open(manifest.root / name).convert("RGB")
        hsv = Image.open(manifest.root / name).convert("RGB")
        if side != 48:
            resized = frames.to_size(np.asarray(rgb), side)
            rgb = hsv = Image.fromarray(resized)
        stacks.append(np.concatenate([np.asarray(rgb), np.asarray(hsv.convert("HSV"))], axis=2).transpose(2, 0, 1))
    return np.stack(stacks)


def plain_depth(manifest: Manifest, side: int) -> np.ndarray:
    """Average each depth map over the area of each output pixel, with fractions of pixels at the borders."""
    maps = []
    for name in manifest.frames["depth"]:
        if not isinstance(name, str):
            maps.append(np.zeros((side, side)))
            continue
        grey = np.asarray(Image.open(manifest.root / name), float)
        weights = np.zeros((side, len(grey)))
        scale = len(grey) / side
        for out in range(side):
            for pixel in range(len(grey)):
                overlap = min((out + 1) * scale, pixel + 1) - max(out * scale, pixel)
                weights[out, pixel] = max(0.0, overlap) / scale
        maps.append(weights @ grey @ weights.T)
    return np.stack(maps)


@pytest.mark.parametrize("side", SIDES)
def test_packed_frames_equal_plain_decoding(side: int, prepared: Manifest) -> None:
    packed = pack(prepared, side)
    assert packed.images.shape == (6, 6, side, side)
    assert packed.depth.shape == (6, side // 8, side // 8)
    assert np.array_equal(packed.images, plain_images(prepared, side))
    assert np.abs(packed.depth - plain_depth(prepared, side // 8)).max() <= 0.5 + 1e-6
    assert packed.depth[0].any()


def test_what_is_known_about_depth(prepared: Manifest) -> None:
    packed = pack(prepared, 32)
    assert prepared.frames["species"].tolist() == ["live", "print", "mask"] * 2
    assert packed.depth_known.tolist() == [True, True, False] * 2
    assert not packed.depth[[1, 2, 4, 5]].any()


def test_a_second_call_reads_what_the_first_wrote(prepared: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pack(prepared, 32)
    monkeypatch.setattr(frames, "_write", lambda *_: pytest.fail("packed again"))
    assert np.array_equal(pack(prepared, 32).images, first.images)
    assert isinstance(first.images, np.memmap)


def test_size_colour_and_content_are_packed_apart(prepared: Manifest) -> None:
    pack(prepared, 32)
    assert pack(prepared, 40).images.shape[-1] == 40
    assert not np.array_equal(pack(prepared, 32, "cv2").images, pack(prepared, 32).images)
    assert len(list((prepared.root / "packed").iterdir())) == 3


def test_what_other_rows_packed_is_removed_and_still_read_where_it_was_open(prepared: Manifest) -> None:
    before, wide = pack(prepared, 32), pack(prepared, 40)
    pixels = before.images[:].copy()
    write_manifest(prepared.root, prepared.frames.iloc[:4])
    assert len(pack(Manifest.read(prepared.root), 32).images) == 4
    assert len(list((prepared.root / "packed").glob("32px-*"))) == 1
    np.testing.assert_array_equal(before.images, pixels)
    assert pack(prepared, 40).images.filename == wide.images.filename  # of another size nothing is removed


def test_progress_counts_every_frame(prepared: Manifest) -> None:
    seen: list[tuple[int, int]] = []
    pack(prepared, 32, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize("column", ["face", "depth"])
@pytest.mark.parametrize("fault", ["missing", "empty", "garbage", "truncated"])
def test_a_broken_image_is_named_by_row_and_column(column: str, fault: str, prepared: Manifest) -> None:
    path = prepared.root / prepared.frames.loc[3, column]
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "garbage": b"no image", "truncated": content[: len(content) // 2]}[fault])
    with pytest.raises(UserError, match=rf"manifest.parquet: row 3, column '{column}' points to .*{path.name}"):
        pack(prepared, 32)
    assert list((prepared.root / "packed").iterdir()) == [], "nothing half-made stays behind"


def test_a_folder_that_cannot_be_written_is_named(prepared: Manifest) -> None:
    (prepared.root / "packed").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"packed.* cannot be written"):
        pack(prepared, 32)


def test_a_full_disk_is_noticed_before_writing(prepared: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    with pytest.raises(UserError, match=r"packed.* needs 0.04 MB, 0.01 MB are free"):
        pack(prepared, 32)


def test_two_processes_may_pack_at_once(prepared: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process finishes while we are packing."""
    folders = []

    def fill_late(manifest: Manifest, side: int, hsv: str, folder: Path, progress: None) -> None:
        fill(manifest, side, hsv, folder, progress)
        folders.append(shutil.copytree(folder, folder.with_name(folder.name.split(".partial")[0])))

    fill = frames._fill
    monkeypatch.setattr(frames, "_fill", fill_late)
    assert len(pack(prepared, 40).images) == 6
    assert list((prepared.root / "packed").iterdir()) == folders


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(prepared: Manifest) -> None:
    folder = pack(prepared, 32).images.filename
    left = Path(str(folder)).parent
    left.rename(left.with_name(f"{left.name}.partial-{os.getpid()}"))
    assert len(pack(prepared, 32).images) == 6


def test_rows_without_a_depth_map_need_no_file(prepared: Manifest) -> None:
    rows = prepared.frames[prepared.frames["depth_kind"] != "map"].reset_index(drop=True)
    rows["depth"] = pd.Series([None] * len(rows), dtype=object)
    write_manifest(prepared.root, rows)
    assert not pack(Manifest.read(prepared.root), 32).depth.any()


def test_a_replaced_crop_is_packed_anew(prepared: Manifest) -> None:
    first = pack(prepared, 32).images[0].copy()
    path = prepared.root / prepared.frames["face"][0]
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    assert (pack(prepared, 32).images[0] != first).any()


def test_a_crop_that_went_missing_is_noticed_although_it_was_packed(prepared: Manifest) -> None:
    pack(prepared, 32)
    (prepared.root / prepared.frames["face"][1]).unlink()
    with pytest.raises(UserError, match="row 1, column 'face'"):
        pack(prepared, 32)
