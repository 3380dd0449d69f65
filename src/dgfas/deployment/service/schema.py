"""What the service answers, as its clients read it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from dgfas.deployment.answer import Answer, Box, Decision, Reason
from dgfas.deployment.detector import Detector
from dgfas.deployment.service.scoring import Scored
from dgfas.deployment.service.settings import ServiceLimits
from dgfas.evaluation.thresholds import Threshold

Share = Annotated[float, Field(ge=0, le=1)]


class ThresholdUsed(BaseModel):
    """A score of at least `value` is live. `rule` and `data` say where it comes from."""

    value: float
    rule: str
    data: str


class ModelUsed(BaseModel):
    """Which model file answers."""

    name: str = Field(description="The file's name.")
    sha256: str
    method: str
    precision: str


class Timing(BaseModel):
    """Milliseconds: receiving the body, waiting for a worker, decoding, finding faces and scoring, and all of it."""

    receive: float
    wait: float
    decode: float
    score: float
    total: float


class FrameAnswer(BaseModel):
    """The answer for one frame. Only `decision` "live" says that the face is live."""

    decision: Decision
    score: Share | None = Field(description="P(live); null where there is no decision.")
    reason: Reason | None = Field(description="Why there is no decision; null where there is one.")
    box: Box | None = Field(description="Of the face: left, top, right, bottom in pixels of the upright frame.")
    faces_found: int
    width: int = Field(description="Of the upright frame as it was decoded, to which `box` belongs; 0 if it was not.")
    height: int

    @staticmethod
    def fields_of(answer: Answer, size: tuple[int, int]) -> dict[str, object]:
        names = ("decision", "score", "reason", "box", "faces_found")
        return {**{name: getattr(answer, name) for name in names}, "width": size[0], "height": size[1]}


class ScoreAnswer(FrameAnswer):
    """The answer for all frames of a request together; the score is their mean, `box` that of the last face."""

    threshold: ThresholdUsed
    frames: int
    frames_scored: int
    each_frame: list[FrameAnswer]
    model: ModelUsed
    milliseconds: Timing


class Limits(BaseModel):
    """What a request may hold."""

    body_bytes: int
    pixels: int
    frames: int
    seconds: float


class ModelAnswer(ModelUsed):
    """Which model file answers, by which thresholds, and within which limits."""

    thresholds: dict[Literal["frame", "recording"], ThresholdUsed]
    limits: Limits


class Health(BaseModel):
    status: Literal["alive", "ready"]


def threshold_used(threshold: Threshold) -> ThresholdUsed:
    return ThresholdUsed(**threshold.to_dict())


def model_fields(detector: Detector) -> dict[str, str]:
    """Return the fields of `ModelUsed`."""
    facts, model = detector.facts, detector.model
    return {"name": model.path.name, "sha256": model.sha256, "method": facts.method, "precision": facts.precision}


def model_answer(detector: Detector, limits: ServiceLimits) -> ModelAnswer:
    thresholds = {level: threshold_used(value) for level, value in detector.facts.thresholds.items()}
    allowed = Limits(**{name: getattr(limits, name) for name in Limits.model_fields})
    return ModelAnswer(**model_fields(detector), thresholds=thresholds, limits=allowed)


def score_answer(detector: Detector, scored: Scored, milliseconds: Timing) -> ScoreAnswer:
    answer, sizes = scored.answer, scored.sizes
    with_box = [size for frame, size in zip(answer.frames, sizes, strict=True) if frame.box is not None]
    return ScoreAnswer(
        **FrameAnswer.fields_of(answer, (with_box or sizes)[-1]),
        threshold=threshold_used(answer.threshold),
        frames=len(answer.frames),
        frames_scored=answer.frames_scored,
        each_frame=[FrameAnswer(**FrameAnswer.fields_of(*each)) for each in zip(answer.frames, sizes, strict=True)],
        model=ModelUsed(**model_fields(detector)),
        milliseconds=milliseconds,
    )
