"""The face finder, an astronaut's photo and its variants."""

from __future__ import annotations

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
