"""Photos as clients send them, made at run time."""

import io

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
