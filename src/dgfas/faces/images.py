"""Photos of every common kind as upright 8-bit RGB arrays."""

import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from dgfas.core.errors import UserError

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
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read a JPEG, PNG or WebP file as RGB, turned upright by its EXIF tag, of at most 20 million pixels.

    Grey becomes RGB, transparency lies over white, CMYK is converted, 16 bits are cut to their upper 8.
    Raises UserError if the file is missing, empty, truncated, damaged, of another kind or over 250 million pixels.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(16)
        if not start:
            raise UserError(f"{path}: the file is empty")
        with _opened(path, start) as image:
            return _decoded(image, path)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path}: file not found") from error
    except Exception as error:  # Pillow's decoders raise many kinds of exceptions on damaged files
        raise UserError(f"{path}: not a readable image ({_one_line(error)})") from error


def _opened(path: Path, start: bytes) -> ImageFile.ImageFile:
    """Open by content, not by name. `Image.open` would refuse large photos by a process-wide limit."""
    if start.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.JpegImageFile(path)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile(path)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile(path)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        raise UserError(
            f"{path}: HEIC is not read; convert it to JPEG, e.g. `heif-convert {path.name} {path.stem}.jpg` "
            "(Debian: libheif-examples), or set the iPhone camera to 'Most Compatible'"
        )
    raise UserError(f"{path}: not a JPEG, PNG or WebP image")


def _decoded(image: ImageFile.ImageFile, path: Path) -> UInt8[np.ndarray, "h w 3"]:
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise UserError(f"{path}: {image.width} x {image.height} pixels; at most 250 million are read, scale it down")
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
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
