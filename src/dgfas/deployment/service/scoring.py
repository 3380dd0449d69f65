"""From files in memory to the detector's answer; runs in a worker's thread."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.deployment.answer import Answer
from dgfas.deployment.detector import Detector
from dgfas.deployment.service.refusal import Refusal
from dgfas.deployment.service.settings import VIDEO_FRAMES_SCORED, ServiceLimits
from dgfas.faces.frames import read_video
from dgfas.faces.images import read_image
from dgfas.faces.source import PHOTO_KINDS, InMemory, TooLarge, kind_of


@dataclass
class Scored:
    """A detector's answer, the (width, height) of each of its frames, and how long decoding and scoring took.

    A frame that cannot be decoded has the size (0, 0).
    """

    answer: Answer
    sizes: list[tuple[int, int]] = field(default_factory=list)
    decode_seconds: float = 0.0
    score_seconds: float = 0.0


def score(detector: Detector, files: list[InMemory], limits: ServiceLimits) -> Scored:
    """Answer for the frames of one presentation: photos, or a video. Raises Refusal (413, 422)."""
    sizes: list[tuple[int, int]] = []
    decoding = 0.0

    def decoded() -> Iterator[UInt8[np.ndarray, "h w 3"] | None]:
        nonlocal decoding
        start = time.perf_counter()
        for image in frames(files, limits):
            decoding += time.perf_counter() - start
            sizes.append((0, 0) if image is None else (image.shape[1], image.shape[0]))
            yield image
            start = time.perf_counter()
        decoding += time.perf_counter() - start

    start = time.perf_counter()
    answer = detector.score_frames(decoded())
    return Scored(answer, sizes, decoding, time.perf_counter() - start - decoding)


def frames(files: list[InMemory], limits: ServiceLimits) -> Iterator[UInt8[np.ndarray, "h w 3"] | None]:
    """Decode photos, or chosen frames of a video, one after the other. Raises Refusal (413, 422)."""
    try:
        if kind_of(files[0].getvalue()[:16]) in PHOTO_KINDS:
            for file in files:
                yield read_image(file, limits.pixels)
        else:
            for frame in read_video(files[0], VIDEO_FRAMES_SCORED, 1, limits.video):
                yield frame.image
    except TooLarge as error:
        raise Refusal(413, "too_large", str(error)) from error
    except UserError as error:
        raise Refusal(422, "unreadable", str(error)) from error
