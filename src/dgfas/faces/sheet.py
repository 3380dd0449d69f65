"""One picture of a prepared data set to look at: crops with their depth maps."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest

TILE = 128
CAPTION = 18
COLOURS = {Label.LIVE: (0, 110, 0), Label.SPOOF: (160, 0, 0)}
UNKNOWN_COLOUR = (90, 90, 90)


def write_sheet(manifest: Manifest, path: Path, *, frames: int = 48, columns: int = 6) -> None:
    """Write a PNG of up to `frames` crops, each beside its depth map, taken in turn from every domain and species.

    Raises UserError if the data set holds no frame.
    """
    if manifest.frames.empty:
        raise UserError(f"{manifest.root}: holds no frame to show; see rejected.csv")
    groups = manifest.frames.groupby(["domain", "species"], sort=True)
    chosen = manifest.frames.assign(turn=groups.cumcount()).sort_values(["turn", "domain", "species"]).head(frames)
    chosen = chosen.sort_values(["domain", "label", "species", "recording", "frame"])
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet(manifest, chosen, columns=columns), cv2.COLOR_RGB2BGR)):
        raise OSError(f"{path}: cannot be written")


def sheet(
    manifest: Manifest, frames: pd.DataFrame, *, columns: int, overlay: bool = False
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw rows of the manifest as RGB: each crop beside its depth map, or with `overlay` beside the two in one.

    A grey field means that the depth is unknown.
    """
    tiles = [_tile(manifest, row, overlay) for _, row in frames.iterrows()]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % min(columns, len(tiles)))
    across = min(columns, len(tiles))
    lines = [np.hstack(tiles[start : start + across]) for start in range(0, len(tiles), across)]
    return np.vstack(lines)


def _tile(manifest: Manifest, row: pd.Series, overlay: bool) -> np.ndarray:
    face = cv2.cvtColor(_read(manifest.root / row["face"], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    if row["depth_kind"] == "map":
        shades = cv2.applyColorMap(_read(manifest.root / row["depth"], cv2.IMREAD_GRAYSCALE), cv2.COLORMAP_VIRIDIS)
        depth = cv2.cvtColor(shades, cv2.COLOR_BGR2RGB)
    else:
        depth = np.full((1, 1, 3), 128 if row["depth_kind"] == "unknown" else 0, np.uint8)
    pair = [cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_NEAREST_EXACT) for picture in (face, depth)]
    if overlay and row["depth_kind"] == "map":
        pair[1] = cv2.addWeighted(pair[0], 0.5, pair[1], 0.5, 0)
    caption = np.full((CAPTION, 2 * TILE, 3), 255, np.uint8)
    colour = UNKNOWN_COLOUR if pd.isna(row["label"]) else COLOURS[Label(row["label"])]
    text = f"{row['domain']} {row['species']} {row['recording']}"[-42:]
    cv2.putText(caption, text.encode("ascii", "replace").decode(), (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, 1)
    return np.vstack([np.hstack(pair), caption])


def _read(path: Path, mode: int) -> np.ndarray:
    image = cv2.imread(str(path), mode)
    if image is None:
        raise UserError(f"{path}: cannot be read; prepare the data set again")
    return image
