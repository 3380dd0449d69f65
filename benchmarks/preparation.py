"""Preparing a video of 640 x 480 pixels, H.264: decoding, finding the face, crop of 256 px, mesh, depth map, writing.

Every frame is prepared; starting the processes, loading the networks and writing the manifest are in the time. The face
is scikit-image's photo of an astronaut, moved by some pixels from frame to frame. Several processes are timed by wall
time only, so that a busy machine shows in it.
"""

import tempfile
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import Path

import av
import cv2
import numpy as np
from skimage.data import astronaut

from benchmarks.result import Figure, per_second, times_as_long
from benchmarks.timing import interleaved, one_thread, ratio
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.faces.models import fetch_models
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare


def write_video(path: Path, frames: int) -> None:
    """Write the moving photo, 25 frames a second."""
    photo = cv2.copyMakeBorder(cv2.resize(astronaut(), (480, 480)), 0, 0, 80, 80, cv2.BORDER_REPLICATE)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for k in range(frames):
            image = np.ascontiguousarray(np.roll(photo, (k % 7, k % 11), axis=(0, 1)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def run(quick: bool) -> list[Figure]:
    one_thread()
    fetch_models()
    frames, rounds = (25, 2) if quick else (100, 5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for length in (frames, 2 * frames):
            write_video(folder / f"{length}.mp4", length)
        roots = (folder / f"prepared-{k}" for k in count())

        def work(videos: int, length: int, workers: int) -> None:
            path = folder / f"{length}.mp4"
            recordings = [Recording("one", "a", str(k), "train", Label.LIVE, "live", (path,)) for k in range(videos)]
            result = prepare(recordings, next(roots), PrepareOptions(frames_per_recording=None, workers=workers))
            assert len(result.manifest.frames) == videos * length, "a frame was rejected"

        contenders = {"short": (1, frames, 1), "long": (1, 2 * frames, 1), "one": (8, frames, 1), "two": (8, frames, 2)}
        times = interleaved({name: partial(work, *sizes) for name, sizes in contenders.items()}, rounds)
    return [
        per_second("frames of 640 x 480 pixels prepared", "frames", frames, times["short"], least=20),
        times_as_long("twice as many frames: time", times["long"], times["short"]),
        Figure("8 recordings by wall time: two processes against one", "x", ratio(times["one"], times["two"], "wall")),
    ]
