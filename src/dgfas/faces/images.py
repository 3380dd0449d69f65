"""Photos of every common kind as upright 8-bit RGB arrays."""

import math
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from dgfas.core.errors import UserError
from dgfas.faces.source import InMemory, TooLarge, is_heic, kind_of

#: Larger photos are decoded at a reduced scale ...
KEPT_PIXELS = 20_000_000
#: ... and beyond this they are refused, since decoding them would fill the memory.
MOST_PIXELS = 250_000_000

ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: The counter-clockwise quarter turns of each, apart from mirroring.
_TURNS = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}


def read_image(source: Path | InMemory, most_pixels: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """Read a JPEG, PNG or WebP file as RGB, turned upright by its EXIF tag, of at most 20 million pixels.

    Grey becomes RGB, transparency lies over white, CMYK is converted, 16 bits are cut to their upper 8; of an animation
    the first picture is read. Raises TooLarge beyond `most_pixels` (default: 250 million), UserError if the file is
    missing, empty, truncated, damaged or of another kind.
    """
    try:
        with _file(source) as file:
            start = file.read(16)
            if not start:
                raise UserError(f"{source}: the file is empty")
            file.seek(0)
            with _opened(file, start, source) as image:
                return _decoded(image, source, most_pixels or MOST_PIXELS)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{source}: file not found") from error
    except Exception as error:  # Pillow's decoders raise many kinds of exceptions on damaged files
        raise UserError(f"{source}: not a readable image ({_one_line(error)})") from error


def exif_turns(path: Path) -> int:
    """Return the counter-clockwise quarter turns (0 to 3) that a photo's EXIF tag asks for; 0 if it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
            file.seek(0)
            with _opened(file, start, path) as image:
                return _TURNS.get(_orientation(image), 0)
    except Exception:  # why, `read_image` says
        return 0


def _file(source: Path | InMemory) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, Path):
        return open(source, "rb")
    source.seek(0)
    return nullcontext(source)


def _opened(file: BinaryIO, start: bytes, source: Path | InMemory) -> ImageFile.ImageFile:
    """Open by content, not by name. `Image.open` would refuse large photos by a process-wide limit."""
    match kind_of(start):
        case "jpeg":
            return JpegImagePlugin.JpegImageFile(file)
        case "png":
            PngImagePlugin.PngImageFile(file).verify()  # decoding alone takes damaged pixels for black ones
            file.seek(0)
            return PngImagePlugin.PngImageFile(file)
        case "webp":
            return WebPImagePlugin.WebPImageFile(file)
    if is_heic(start):
        name = Path(source.name)
        raise UserError(
            f"{source}: HEIC is not read; convert it to JPEG, e.g. `heif-convert {name.name} {name.stem}.jpg` "
            "(Debian: libheif-examples), or set the iPhone camera to 'Most Compatible'"
        )
    raise UserError(f"{source}: not a JPEG, PNG or WebP image")


def _decoded(image: ImageFile.ImageFile, source: Path | InMemory, most_pixels: int) -> UInt8[np.ndarray, "h w 3"]:
    pixels = image.width * image.height
    if pixels > most_pixels:
        raise TooLarge(
            f"{source}: {image.width} x {image.height} pixels; at most {most_pixels:,} are read, scale it down"
        )
    orientation = _orientation(image)
    if pixels > KEPT_PIXELS:
        shrink = math.sqrt(KEPT_PIXELS / pixels)
        target = (int(image.width * shrink), int(image.height * shrink))
        image.draft(None, target)  # JPEG decodes at 1/2, 1/4 or 1/8 of its size, still at least `target`
        upright = _to_rgb(image).resize(target, Image.Resampling.BOX)
    else:
        upright = _to_rgb(image)
    if orientation in _UPRIGHT:
        upright = upright.transpose(_UPRIGHT[orientation])
    return np.array(upright)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # a photo with damaged EXIF data is still a photo
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image if image.mode == "RGBA" else image.convert("RGBA")  # which would copy
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
