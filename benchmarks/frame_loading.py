"""Packed frames against decoding every time: batches of 256-px crops with depth maps, ready for the network.

The plain way decodes each crop twice with Pillow (once for RGB, once for HSV), converts one to HSV, resizes the depth
map by area, flips, and divides by 255. Both give the same batch to the bit, which the run checks. Packing is done once,
before; it is timed apart.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from PIL import Image
from skimage.data import astronaut

from benchmarks.result import Figure, per_second, times_as_fast
from benchmarks.timing import interleaved, one_thread, seconds
from dgfas.core.manifest import Manifest, write_manifest
from dgfas.data.batches import BatchLoader
from dgfas.data.frames import pack

SIDE, BATCH = 256, 24
#: What it is called, the crops' file type, the side of the depth maps in pixels.
CASES = [("PNG crops, depth of 32 px, as prepared here", ".png", 32), ("JPEG crops, depth of 256 px", ".jpg", 256)]


def plain(root: Path, rows: pd.DataFrame, mirrored: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images `(B, 6, 256, 256)` and depth `(B, 1, 32, 32)`, read from the files."""
    images, depths = [], []
    for row, flip in zip(rows.itertuples(), mirrored, strict=True):
        rgb = np.asarray(Image.open(root / row.face).convert("RGB"))
        hsv = np.asarray(Image.open(root / row.face).convert("HSV"))
        depth = np.asarray(Image.open(root / row.depth))
        depth = cv2.resize(depth, (SIDE // 8, SIDE // 8), interpolation=cv2.INTER_AREA)
        image = np.concatenate([rgb, hsv], axis=2)
        if flip:
            image, depth = image[:, ::-1], depth[:, ::-1]
        images.append(np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float32) / np.float32(255))
        depths.append(np.ascontiguousarray(depth[None]).astype(np.float32) / np.float32(255))
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(depths))


def write_crops(root: Path, frames: int, suffix: str, depth_side: int) -> Manifest:
    """Write crops of one photo, each shifted by some pixels, with a depth map."""
    photo, rows = astronaut(), []
    for k in range(frames):
        crop = photo[k % 48 : k % 48 + SIDE, 90 + k % 31 : 90 + k % 31 + SIDE]
        Image.fromarray(crop).save(root / f"{k}{suffix}", quality=92)
        depth = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (depth_side, depth_side))
        Image.fromarray(depth).save(root / f"{k}-depth.png")
        about = {"domain": "one", "subject": "a", "recording": "a", "frame": k, "split": "train"}
        kind = {"label": 1, "species": "live", "face": f"{k}{suffix}", "depth": f"{k}-depth.png", "depth_kind": "map"}
        rows.append(about | kind)
    write_manifest(root, pd.DataFrame(rows))
    return Manifest.read(root)


def compared(case: str, manifest: Manifest, rounds: int) -> list[Figure]:
    """Return the figures of one prepared data set."""
    packing = seconds(lambda: pack(manifest, SIDE))
    n = len(manifest.frames)
    position = np.stack([np.zeros(n, np.int64), np.arange(n)], axis=1)
    loader = BatchLoader([pack(manifest, SIDE)], position, np.ones(n, bool), torch.device("cpu"))
    random = np.random.default_rng(0)
    rows, mirrored = random.permutation(n)[:BATCH], random.random(BATCH) < 0.5
    table = manifest.frames.iloc[rows]

    def packed() -> tuple[torch.Tensor, torch.Tensor]:
        batch = loader.batch(rows, np.zeros(n, np.int64), 1, mirrored)
        return batch.images, batch.depth

    for one, other in zip(packed(), plain(manifest.root, table, mirrored), strict=True):
        assert torch.equal(one, other), "the two ways differ"
    times = interleaved({"packed": packed, "plain": lambda: plain(manifest.root, table, mirrored)}, rounds)
    return [
        times_as_fast(f"{case}: packed against plain", times["packed"], times["plain"], least=4),
        per_second(f"{case}: packed", "frames", BATCH, times["packed"]),
        per_second(f"{case}: plain", "frames", BATCH, times["plain"]),
        per_second(f"{case}: packing, once", "frames", n, [packing]),
    ]


def run(quick: bool) -> list[Figure]:
    one_thread()
    figures = []
    for case, suffix, depth_side in CASES:
        with tempfile.TemporaryDirectory() as folder:
            manifest = write_crops(Path(folder), 2 * BATCH, suffix, depth_side)
            figures += compared(case, manifest, 3 if quick else 15)
    return figures
