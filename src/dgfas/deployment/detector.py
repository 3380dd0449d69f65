"""A model and the face finder in front of it: image in, answer out. With a model file there is no torch."""

import queue
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from dgfas.core.errors import UserError
from dgfas.deployment.answer import Answer, Reason, decided, undecided
from dgfas.deployment.limits import Limits
from dgfas.deployment.model_file import ModelFacts, open_model
from dgfas.faces.finder import FaceCrop, FaceFinder
from dgfas.faces.frames import read_recording, sources_of
from dgfas.faces.images import read_image

Finder = Literal["blazeface", "none"]
_LOADING = threading.Lock()  # loading a network redirects standard error for a moment, which is the whole process's


class FaceModel(Protocol):
    """What stands behind the face finder: an open model file, or a run."""

    @property
    def path(self) -> Path:
        """The file, or the folder of the run."""

    @property
    def facts(self) -> ModelFacts:
        """What the model says of itself."""

    @property
    def sha256(self) -> str:
        """The hash of the model file; empty for a run."""

    def score_crops(self, crops: Sequence[UInt8[np.ndarray, "s s 3"]]) -> Float[np.ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size."""


class Detector:
    """Scores images with a model. With a model file one object may be used by several threads at once."""

    def __init__(self, model: FaceModel, finder: Finder = "blazeface", limits: Limits | None = None) -> None:
        """See `load`. Raises UserError if a model file of the face finder is missing."""
        self.model = model
        self.limits = limits or Limits()
        trained_on = model.facts.preprocessing
        align = trained_on.align if finder == "blazeface" else "none"
        self.options = replace(trained_on, detector=finder, align=align, stride=1)
        self._finders: queue.LifoQueue[FaceFinder] = queue.LifoQueue()
        self._finders.put(self._new_finder())

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        finder: Finder = "blazeface",
        limits: Limits | None = None,
        threads: int = 1,
        sha256: str | None = None,
    ) -> "Detector":
        """Open a file written by `dgfas export`.

        `finder="none"`: images are square face crops already. `limits`: what a frame must have. `threads`: of the
        network, for each call. `sha256`: the hash that the file must have. Raises UserError, in one line, if the file
        is missing, not ours, altered or takes another input, or if a model file of the face finder is missing.
        """
        return cls(open_model(Path(path), threads, sha256), finder, limits)

    @property
    def facts(self) -> ModelFacts:
        """What the model file says of itself: method, preprocessing, thresholds, provenance, card."""
        return self.model.facts

    def score(self, image: UInt8[np.ndarray, "h w 3"]) -> Answer:
        """Answer for one upright RGB image, by the threshold of single frames.

        Raises UserError if it is not an array `(height, width, 3)` of uint8.
        """
        return self.score_batch([image])[0]

    def score_batch(self, images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[Answer]:
        """Answer for each of several images on its own. Raises UserError as `score`."""
        return self._answers([self._look(image) for image in images])

    def score_frames(self, images: Iterable[UInt8[np.ndarray, "h w 3"] | None]) -> Answer:
        """Answer for frames of one presentation together, by the threshold of recordings (one alone: of frames).

        They may come one after the other; only their crops are kept. None stands for one that cannot be decoded. Raises
        UserError if empty.
        """
        looks = [self._look(image) for image in images]
        if not looks:
            raise UserError("there is no frame to score; give at least one")
        return self._joined(self._answers(looks))

    def score_video(self, path: str | Path, frames: int = 8) -> Answer:
        """Answer for a video, a photo or a folder of frames by up to `frames` of its frames, evenly spaced.

        The score is the mean over the frames that can be scored. Raises UserError if nothing can be read from it.
        """
        return self.score_frames(frame.image for frame in read_recording(sources_of(Path(path)), frames, 1))

    def score_photo(self, path: str | Path) -> Answer:
        """Answer for a JPEG, PNG or WebP file, turned upright. Raises UserError if it cannot be read."""
        return self.score(read_image(Path(path)))

    def score_crops(self, crops: Sequence[UInt8[np.ndarray, "s s 3"]]) -> Float[np.ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size, whatever they show."""
        return self.model.score_crops(crops) if crops else np.zeros(0)

    def _look(self, image: UInt8[np.ndarray, "h w 3"] | None) -> tuple[FaceCrop, Reason | None]:
        """Find the face in an image, and what it lacks to be scored."""
        if image is None:
            return FaceCrop(0, None, 0, None, None), Reason.UNREADABLE
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise UserError("an image must be a NumPy array (height, width, 3) of uint8, RGB")
        if image.size == 0:
            raise UserError(f"an image must have pixels, not the shape {image.shape}")
        image = np.ascontiguousarray(image)
        with self._borrowed_finder() as finder:
            found = finder.find(image, with_depth=False)
        return found, self.limits.fault(image, found, is_crop=self.options.detector == "none")

    def _new_finder(self) -> FaceFinder:
        with _LOADING:
            return FaceFinder(self.options)

    @contextmanager
    def _borrowed_finder(self) -> Iterator[FaceFinder]:
        """Lend a face finder to one thread at a time; there are as many as there were callers at once."""
        try:
            finder = self._finders.get_nowait()
        except queue.Empty:
            finder = self._new_finder()
        try:
            yield finder
        finally:
            self._finders.put(finder)

    def _answers(self, looks: Sequence[tuple[FaceCrop, Reason | None]]) -> list[Answer]:
        crops = [found.image for found, reason in looks if reason is None and found.image is not None]
        scores = iter(self.score_crops(crops).tolist())
        threshold = self.facts.thresholds["frame"]
        return [
            decided(next(scores), threshold, found.box, found.faces_found, ())
            if reason is None
            else undecided(reason, threshold, found.box, found.faces_found, ())
            for found, reason in looks
        ]

    def _joined(self, frames: Sequence[Answer]) -> Answer:
        """Return the answer of a recording: by the mean score, or by the most frequent reason."""
        threshold = self.facts.thresholds["recording" if len(frames) > 1 else "frame"]
        boxes = [frame.box for frame in frames if frame.box is not None]
        box, faces = (boxes[-1] if boxes else None), max(frame.faces_found for frame in frames)
        scores = [frame.score for frame in frames if frame.score is not None]
        if not scores or len(scores) < self.limits.least_share_scored * len(frames):
            reasons = Counter(frame.reason for frame in frames if frame.reason is not None)
            return undecided(reasons.most_common(1)[0][0], threshold, box, faces, tuple(frames))
        return decided(float(np.mean(scores)), threshold, box, faces, tuple(frames))
