"""The face finder, an astronaut's photo and its variants, and a writer of small videos."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from dgfas.faces.detection import FaceDetector
from dgfas.faces.mesh import FaceMesh


@pytest.fixture(scope="session")
def detector(models: None) -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def mesh(models: None) -> FaceMesh:
    return FaceMesh()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="session")
def variants(astronaut: np.ndarray) -> dict[str, np.ndarray]:
    turn = cv2.getRotationMatrix2D((256, 256), 25, 1)
    _, jpeg = cv2.imencode(".jpg", astronaut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])
    return {
        "original": astronaut,
        "rotated 25 degrees": cv2.warpAffine(astronaut, turn, (512, 512)),
        "quarter brightness": (astronaut * 0.25).astype(np.uint8),
        "128 pixels": cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA),
        "JPEG quality 20": np.ascontiguousarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1]),
        "mirrored": np.ascontiguousarray(astronaut[:, ::-1]),
        "blurred": cv2.GaussianBlur(astronaut, (0, 0), 4),
    }


WriteVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    """Return a writer of videos: images (RGB, even sides) -> file; `rotation` counter-clockwise in degrees."""

    def write(path: Path, images: list[np.ndarray], codec: str = "libx264", rotation: int = 0) -> Path:
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

    return write
