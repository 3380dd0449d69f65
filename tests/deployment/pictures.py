"""Photos and clips as clients send them, made at run time."""

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image
from skimage import data


def face_at(left: int, top: int, width: int = 640, height: int = 480, brightness: float = 1.0) -> np.ndarray:
    """A grey room with the astronaut's head and shoulders (200 x 200 pixels), whose own corner is at (left, top)."""
    room = np.full((height, width, 3), 90, np.uint8)
    person = (data.astronaut()[20:220, 125:325] * brightness).astype(np.uint8)
    room[top : top + 200, left : left + 200] = person
    return room


def encoded(image: np.ndarray, kind: str = "JPEG", **options: object) -> bytes:
    """Return an image as a JPEG, PNG or WebP file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def video(images: list[np.ndarray], kind: str = "mp4", codec: str = "libx264", rate: int = 25) -> bytes:
    """Return images as a video file, always the same bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.codec_context.thread_count = 1
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
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
