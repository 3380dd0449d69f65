"""Crops and depth maps as one memory-mapped array, so that training never decodes an image twice."""

import hashlib
import os
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from numpy.lib.format import open_memmap

from dgfas.core.errors import UserError
from dgfas.core.manifest import MANIFEST_NAME, Manifest
from dgfas.core.progress import Progress
from dgfas.core.work import cores
from dgfas.data.colour import rgb_and_hsv, to_size

#: The encoder's output, and so the depth map, has an eighth of the input's side.
DEPTH_STRIDE = 8


@dataclass(frozen=True)
class PackedFrames:
    """All frames of a prepared data set at one size, in the manifest's row order.

    `images (N, 6, S, S)` holds RGB and HSV as bytes, `depth (N, S/8, S/8)` the depth map as bytes (255 = nearest),
    `depth_known (N,)` whether the depth map may supervise. Both image arrays are memory-mapped files.
    """

    images: UInt8[ndarray, "n 6 s s"]
    depth: UInt8[ndarray, "n d d"]
    depth_known: ndarray


def pack(manifest: Manifest, side: int, hsv: str = "pillow", progress: Progress | None = None) -> PackedFrames:
    """Return the frames of `manifest` at `side` pixels; the packed files are made on the first call and kept.

    They lie in `packed/` of the data set's folder and take 6 * side * side bytes a frame. Where a crop is
    replaced or touched all are packed anew. Raises UserError if a crop is missing or unreadable, or the folder cannot
    be written.
    """
    folder = manifest.root / "packed" / f"{side}px-{hsv}-{_fingerprint(manifest)}"
    if not folder.is_dir():
        _write(manifest, side, hsv, folder, progress)
    known = (manifest.frames["depth_kind"] != "unknown").to_numpy(dtype=bool)
    return PackedFrames(
        np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "depth.npy", mmap_mode="r"), known
    )


def _fingerprint(manifest: Manifest) -> str:
    """Return what changes with the rows of the manifest, and with the size or time of any file that they name."""
    digest = hashlib.sha256(manifest.content_hash.encode())
    for column in ("face", "depth"):
        for name in manifest.frames[column].dropna():
            path = manifest.root / name
            if path.is_file():
                facts = path.stat()
                digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
            else:
                digest.update(f"{name} missing\n".encode())
    return digest.hexdigest()[:16]


def _write(manifest: Manifest, side: int, hsv: str, folder: Path, progress: Progress | None) -> None:
    temporary = folder.with_name(f"{folder.name}.partial-{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        _check_space(len(manifest.frames) * (6 * side * side + (side // DEPTH_STRIDE) ** 2), temporary)
        _fill(manifest, side, hsv, temporary, progress)
        _publish(temporary, folder)
        _remove_older(folder, f"{side}px-{hsv}-")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); free space or make it writable") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_space(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free  # a memory-mapped file on a full disk would kill the process
    if needed > free:
        raise UserError(f"{folder.parent}: needs {needed / 1e6:.2f} MB, {free / 1e6:.2f} MB are free; free some space")


def _publish(temporary: Path, folder: Path) -> None:
    try:
        os.replace(temporary, folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise


def _remove_older(folder: Path, prefix: str) -> None:
    """Remove what was packed at the same size from rows or crops that have changed since."""
    for other in folder.parent.glob(f"{prefix}*"):
        if other != folder and ".partial-" not in other.name:
            shutil.rmtree(other, ignore_errors=True)


def _fill(manifest: Manifest, side: int, hsv: str, folder: Path, progress: Progress | None) -> None:
    rows = list(manifest.frames[["face", "depth"]].itertuples(index=False))
    where = manifest.root / MANIFEST_NAME
    depth_side = side // DEPTH_STRIDE
    images = open_memmap(folder / "images.npy", "w+", np.uint8, (len(rows), 6, side, side))
    depth = open_memmap(folder / "depth.npy", "w+", np.uint8, (len(rows), depth_side, depth_side))

    def load(row: int) -> None:
        rgb = _read(manifest.root / rows[row].face, cv2.IMREAD_COLOR_RGB, where, row, "face")
        images[row] = rgb_and_hsv(to_size(rgb, side), hsv)
        if isinstance(rows[row].depth, str):
            grey = _read(manifest.root / rows[row].depth, cv2.IMREAD_GRAYSCALE, where, row, "depth")
            depth[row] = cv2.resize(grey, (depth_side, depth_side), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(cores()) as pool:
        for done, _ in enumerate(pool.map(load, range(len(rows))), start=1):
            if progress is not None:
                progress(done, len(rows))
    images.flush()
    depth.flush()


def _read(path: Path, flag: int, manifest: Path, row: int, column: str) -> ndarray:
    image = cv2.imread(str(path), flag) if path.is_file() else None
    if image is None:
        fault = "cannot be decoded" if path.is_file() else "does not exist"
        raise UserError(f"{manifest}: row {row}, column {column!r} points to {path}, which {fault}; prepare it again")
    return image
