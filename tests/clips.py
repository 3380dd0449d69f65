"""Small videos for the tests."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_clip(path: Path, images: list[np.ndarray], codec: str = "libx264", rotation: int = 0) -> Path:
    """Encode RGB images (even sides) at 25 frames a second; the tag `rotation` is counter-clockwise in degrees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".mkv": "matroska"}.get(path.suffix, path.suffix[1:])
    path.write_bytes(video(images, kind, codec, rotation=rotation))
    return path


def video(
    images: list[np.ndarray], kind: str = "mp4", codec: str = "libx264", rate: int = 25, rotation: int = 0
) -> bytes:
    """Return RGB images (even sides) as a video file, always the same bytes; see `write_clip`."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.codec_context.thread_count = 1
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        if rotation:
            stream.set_display_rotation(rotation)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def damaged(clip: bytes, frames: range) -> bytes:
    """Return a Motion JPEG clip (AVI) of which some `frames` are emptied, so that they cannot be decoded."""
    content = bytearray(clip)
    places = [place for place in range(len(clip)) if clip.startswith(b"\xff\xd8\xff", place)]
    for number in frames:
        end = content.find(b"idx1" if number + 1 == len(places) else b"00dc", places[number])
        content[places[number] : end] = bytes(end - places[number])
    return bytes(content)
