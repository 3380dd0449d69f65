"""A picture of a data set: one row a domain, so that a person sees what the numbers are about."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest

CELL = 96  # pixels of a picture on the sheet
MARGIN = 4
LABEL_WIDTH = 84
HEADING_HEIGHT = 26

#: Heading -> how many pictures of it a row shows.
COLUMNS = {"live": 5, "true depth": 2, "print, cut": 4, "replay": 4}


def contact_sheet(manifest: Manifest, path: Path, columns: dict[str, int] | None = None) -> None:
    """Write a PNG with a row a domain: live faces, their depth, prints and replays, each of another subject.

    `columns` gives the number of pictures under each heading of COLUMNS. Raises UserError if `path` cannot be written.
    """
    columns = COLUMNS if columns is None else columns
    domains = list(dict.fromkeys(manifest.frames["domain"]))
    step = CELL + MARGIN
    size = (LABEL_WIDTH + step * sum(columns.values()) + MARGIN * len(columns), HEADING_HEIGHT + step * len(domains))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    for row, domain in enumerate(domains):
        top, left = HEADING_HEIGHT + row * step, LABEL_WIDTH
        draw.text((MARGIN, top + CELL // 2 - 8), domain, "black", font)
        for heading, number in columns.items():
            if row == 0:
                draw.text((left, 5), heading, "black", font)
            for position, picture in enumerate(_pictures(manifest, domain, heading, number)):
                sheet.paste(picture.resize((CELL, CELL), Image.Resampling.BICUBIC), (left + position * step, top))
            left += step * number + MARGIN
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}); choose another path") from error


def _pictures(manifest: Manifest, domain: str, heading: str, number: int) -> list[Image.Image]:
    """Return the first frames of the first recordings that belong under a heading."""
    frames = manifest.frames
    frames = frames[(frames["domain"] == domain) & (frames["frame"] == 0)]
    live = frames["label"] == Label.LIVE
    chosen = {
        "live": live,
        "true depth": live & (frames["depth_kind"] == "map"),
        "print, cut": frames["species"].isin(["print", "cut"]),
        "replay": frames["species"] == "replay",
    }[heading]
    rows = frames[chosen].drop_duplicates("subject").head(number)
    if heading != "true depth":
        return [Image.open(manifest.root / name).convert("RGB") for name in rows["face"]]
    return [_coloured(Image.open(manifest.root / name)) for name in rows["depth"]]


def _coloured(depth: Image.Image) -> Image.Image:
    """Show a depth map: far dark blue, near yellow."""
    level = np.asarray(depth, np.float32)[..., None] / 255
    far, middle, near = (np.array(colour, np.float32) for colour in ((30, 10, 80), (30, 150, 140), (250, 230, 40)))
    colour = np.where(level < 0.5, far + (middle - far) * 2 * level, middle + (near - middle) * (2 * level - 1))
    return Image.fromarray(colour.astype(np.uint8))
