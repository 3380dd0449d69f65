"""Small videos for the tests."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_clip(path: Path, images: list[np.ndarray], codec: str = "libx264", rotation: int = 0) -> Path:
    """Encode RGB images (even sides) at 25 frames a second; the tag `rotation` is counter-clockwise in degrees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        if rotation:
            stream.set_display_rotation(rotation)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))
    return path
