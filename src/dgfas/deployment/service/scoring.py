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
from dgfas.faces.frames import choose_positions
from dgfas.faces.images import read_image
from dgfas.faces.source import PHOTO_KINDS, InMemory, TooLarge, kind_of
from dgfas.faces.video import frame_count, read_frames


@dataclass
class Scored:
    """A detector's answer, the (width, height) of each of its frames, and how long decoding and scoring took."""

    answer: Answer
    sizes: list[tuple[int, int]] = field(default_factory=list)
    decode_seconds: float = 0.0
    score_seconds: float = 0.0


def score(detector: Detector, files: list[InMemory], limits: ServiceLimits) -> Scored:
    """Answer for the frames of one presentation: photos, or a video. Raises Refusal (413, 422)."""
    sizes: list[tuple[int, int]] = []
    decoding = 0.0

    def decoded() -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        nonlocal decoding
        images = frames(files, limits)
        while True:
            start = time.perf_counter()
            image = next(images, None)
            decoding += time.perf_counter() - start
            if image is None:
                return
            sizes.append((image.shape[1], image.shape[0]))
            yield image

    start = time.perf_counter()
    answer = detector.score_frames(decoded())
    return Scored(answer, sizes, decoding, time.perf_counter() - start - decoding)


def frames(files: list[InMemory], limits: ServiceLimits) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Decode photos, or chosen frames of a video, one after the other. Raises Refusal (413, 422)."""
    try:
        if kind_of(files[0].getvalue()[:16]) in PHOTO_KINDS:
            for file in files:
                yield read_image(file, limits.pixels)
        else:
            positions = choose_positions(frame_count(files[0], limits.video), VIDEO_FRAMES_SCORED, 1)
            decoded = 0
            for _, image in read_frames(files[0], positions, limits.video):
                decoded += 1
                yield image
            if not decoded:
                raise UserError(f"{files[0]}: none of its chosen frames can be decoded")
    except TooLarge as error:
        raise Refusal(413, "too_large", str(error)) from error
    except UserError as error:
        raise Refusal(422, "unreadable", str(error)) from error
