"""What a detector answers: live, spoof, or nothing with a reason. There is no way to be live without a score."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dgfas.evaluation.thresholds import Threshold

Box = tuple[float, float, float, float]


class Decision(StrEnum):
    """What is made of a presentation. Only `LIVE` may open a door."""

    LIVE = "live"
    SPOOF = "spoof"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why there is no decision."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    CUT_OFF = "cut_off"  # a part of the face lies outside of the image
    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    UNREADABLE = "unreadable"  # one of several frames cannot be decoded


@dataclass(frozen=True)
class Answer:
    """The answer for one image, or for the frames of one recording.

    `score` is P(live) in [0, 1], of a recording the mean over its scored frames; `decision` is live if and only if
    `score` >= `threshold.value`. Where there is no decision `score` is None and `reason` says why. `box` (left, top,
    right, bottom) is in pixels of the upright image, x to the right, y down, and may reach beyond the image; None
    where no face was found. A recording has the box of its last frame with a face, the largest number of faces in a
    frame, and the answers of its `frames` in their order (an image has none).

    Raises ValueError for a decision without a score, a score with a reason, or a decision that contradicts the
    threshold.
    """

    decision: Decision
    score: float | None
    threshold: Threshold
    reason: Reason | None
    box: Box | None
    faces_found: int
    frames: "tuple[Answer, ...]" = ()

    def __post_init__(self) -> None:
        if self.score is None:
            consistent = self.decision is Decision.UNDECIDED and self.reason is not None
        else:
            wanted = Decision.LIVE if self.score >= self.threshold.value else Decision.SPOOF
            consistent = self.decision is wanted and self.reason is None and 0 <= self.score <= 1
        if not consistent:
            raise ValueError(f"{self.decision} contradicts score {self.score} or reason {self.reason}")

    @property
    def is_live(self) -> bool:
        """Whether the presentation was found to be live; False also where there is no decision."""
        return self.decision is Decision.LIVE

    @property
    def frames_scored(self) -> int:
        """Of how many frames the score is the mean."""
        return sum(frame.score is not None for frame in self.frames) if self.frames else int(self.score is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the frames' own answers as plain JSON values."""
        return {
            "decision": str(self.decision),
            "score": self.score,
            "threshold": self.threshold.to_dict(),
            "reason": None if self.reason is None else str(self.reason),
            "box": None if self.box is None else list(self.box),
            "faces_found": self.faces_found,
            "frames": max(1, len(self.frames)),
            "frames_scored": self.frames_scored,
        }


def decided(
    score: float, threshold: Threshold, box: Box | None, faces_found: int, frames: tuple[Answer, ...]
) -> Answer:
    """Return the answer by a score."""
    decision = Decision.LIVE if score >= threshold.value else Decision.SPOOF
    return Answer(decision, score, threshold, None, box, faces_found, frames)


def undecided(
    reason: Reason, threshold: Threshold, box: Box | None, faces_found: int, frames: tuple[Answer, ...]
) -> Answer:
    """Return the answer without a score."""
    return Answer(Decision.UNDECIDED, None, threshold, reason, box, faces_found, frames)
