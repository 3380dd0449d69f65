"""Describing faces of 64 px by the hand-crafted methods, without the SVM; `lbp_top` on 8 consecutive frames."""

import cv2
import numpy as np
from skimage.data import astronaut

from benchmarks.result import Figure, per_second
from benchmarks.timing import interleaved, one_thread
from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions
from dgfas.methods.classical.color_texture import ColorTexture
from dgfas.methods.classical.ida import Ida
from dgfas.methods.classical.lbp_top import LbpTop
from dgfas.methods.classical.ms_lbp import MsLbp

SIDE, FRAMES = 64, 8
METHODS: dict[str, tuple[type[ClassicalMethod], float | None]] = {
    "ms_lbp": (MsLbp, 60),
    "color_texture": (ColorTexture, 25),
    "ida": (Ida, None),
    "lbp_top": (LbpTop, None),
}


def faces() -> list[np.ndarray]:
    """Return crops of one photo, each shifted by a pixel more."""
    photo = astronaut()
    return [
        cv2.resize(photo[k : k + 200, 120 + k : 320 + k], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        for k in range(FRAMES)
    ]


def run(quick: bool) -> list[Figure]:
    one_thread()
    crops = faces()
    repeats, rounds = (2, 3) if quick else (10, 9)
    options = ClassicalOptions(penalty=(1.0,), gamma=(1.0,), samples_per_cell=1)

    def describe(method: ClassicalMethod) -> None:
        for _ in range(repeats):
            if method.needs_consecutive_frames:
                method.features(crops)
            else:
                for crop in crops:
                    method.features([crop])

    works = {name: lambda kind=kind: describe(kind(options)) for name, (kind, _) in METHODS.items()}
    times = interleaved(works, rounds)
    return [
        per_second(f"{name}: features", "faces", repeats * FRAMES, times[name], least)
        for name, (_, least) in METHODS.items()
    ]
