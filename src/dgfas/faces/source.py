"""A photo or video that lies in memory instead of on disk, and what it is by its first bytes."""

import io
from typing import Literal

from dgfas.core.errors import UserError

#: Still pictures in the container of MP4.
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}


class InMemory(io.BytesIO):
    """The content of a file, with a `name` for messages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name

    def __str__(self) -> str:
        return self.name


class TooLarge(UserError):
    """A photo or video holds more than is decoded here."""


Kind = Literal["jpeg", "png", "webp", "mp4", "matroska", "avi"]
PHOTO_KINDS: tuple[Kind, ...] = ("jpeg", "png", "webp")
VIDEO_KINDS: tuple[Kind, ...] = ("mp4", "matroska", "avi")


def kind_of(start: bytes) -> Kind | None:
    """Return what a file is by its first 16 bytes: a photo, or a video by its FFmpeg format; None if neither."""
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"  # and WebM
    if start[:4] == b"RIFF" and start[8:12] in (b"WEBP", b"AVI "):
        return "webp" if start[8:12] == b"WEBP" else "avi"
    if start[4:8] in (b"moov", b"mdat", b"wide") or (start[4:8] == b"ftyp" and start[8:12] not in _PICTURE_BRANDS):
        return "mp4"  # and QuickTime
    return None


def is_heic(start: bytes) -> bool:
    """Whether a file is a still picture in the container of MP4, as iPhones take them."""
    return start[4:8] == b"ftyp" and start[8:12] in _PICTURE_BRANDS
