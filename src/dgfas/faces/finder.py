"""From an image to the crop of its largest face, and that face's depth map and pose."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, UInt8

from dgfas.core.errors import UserError
from dgfas.core.recording import Recording
from dgfas.faces.crop import crop, crop_transform, into_crop
from dgfas.faces.depth import depth_from_mesh
from dgfas.faces.detection import Face, FaceDetector
from dgfas.faces.mesh import FaceMesh, head_angles, refined
from dgfas.faces.options import PrepareOptions

NO_FACE = "no face found"

Landmarks = Float[np.ndarray, "468 3"]

#: Returns the box (left, top, right, bottom) of the frame at a position, or None where the data set gives none.
GivenBoxes = Callable[[int], tuple[float, float, float, float] | None]


@dataclass(frozen=True)
class FaceCrop:
    """The face in one frame, or the `reason` why there is none (then `image`, `box` and `score` are None).

    `image` is RGB. `box` (left, top, right, bottom) is in pixels of the upright frame. `faces_found` counts the faces
    of the whole frame. `depth` (in [0, 1], 1 nearest) and the angles in degrees (yaw, pitch, roll) come from the mesh;
    None where it was not asked for or not found.
    """

    position: int
    image: UInt8[np.ndarray, "size size 3"] | None
    faces_found: int
    box: tuple[float, float, float, float] | None
    reason: str | None = None
    score: float | None = None
    depth: Float32[np.ndarray, "depth_size depth_size"] | None = None
    angles: tuple[float, float, float] | None = None


class FaceFinder:
    """Holds the networks; make one for each process or thread."""

    def __init__(self, options: PrepareOptions) -> None:
        self.options = options
        self._detector = FaceDetector() if options.detector == "blazeface" else None
        self._mesh = FaceMesh()

    def find(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        position: int = 0,
        boxes: GivenBoxes | None = None,
        with_depth: bool = True,
    ) -> FaceCrop:
        """Return the crop of the largest face in an upright RGB image.

        `boxes` is needed by detector "given" only. Without `with_depth` depth and angles are left out.
        """
        options = self.options
        faces = self._faces(image, position, boxes)
        if not faces:
            return FaceCrop(position, None, 0, None, NO_FACE)
        face, points = faces[0]
        margin = 0.0 if options.detector == "none" else options.margin
        transform = crop_transform(face, margin, options.align, options.size)
        cropped = crop(image, transform, options.size)
        if points is None or not with_depth:
            return FaceCrop(position, cropped, len(faces), face.box, None, face.score)
        square = (0.0, 0.0, float(options.size), float(options.size))
        depth = depth_from_mesh(into_crop(points, transform), square, options.depth_size)
        return FaceCrop(position, cropped, len(faces), face.box, None, face.score, depth, head_angles(points))

    def _faces(
        self, image: UInt8[np.ndarray, "h w 3"], position: int, boxes: GivenBoxes | None
    ) -> list[tuple[Face, Landmarks | None]]:
        """Return the faces, largest first, each with its mesh where it has one."""
        if self._detector is not None:
            return self._confirmed(image, self._detector.detect(image)) or self._confirmed(
                image, self._detector.detect_small(image)
            )
        if self.options.detector == "none":
            face = Face((0.0, 0.0, float(image.shape[1]), float(image.shape[0])), 1.0)
            return [(face, self._mesh.landmarks(image, face, context=1.0))]
        box = boxes(position) if boxes is not None else None
        return [] if box is None else [(Face(box, 1.0), self._mesh.landmarks(image, Face(box, 1.0)))]

    def _confirmed(self, image: UInt8[np.ndarray, "h w 3"], faces: list[Face]) -> list[tuple[Face, Landmarks | None]]:
        """Keep the faces in which the mesh sees one too, with the mesh's box and a second mesh from there."""
        confirmed: list[tuple[Face, Landmarks | None]] = []
        for face in faces:
            rough = self._mesh.landmarks(image, face)
            if rough is not None:
                better = refined(face, rough)
                points = self._mesh.landmarks(image, better)
                confirmed.append((better, None) if points is None else (refined(better, points), points))
        return sorted(confirmed, key=lambda each: each[0].side, reverse=True)


def given_boxes(recording: Recording) -> GivenBoxes:
    """Return the boxes that a data set gives with a recording, from its factors.

    Factor `box`: "left top right bottom", for every frame. Factor `boxes`: a text file with a line
    "frame left top width height" for each frame, as Replay-Attack ships; a size of 0 means that there is no face.
    Raises UserError if there is neither, or if it is not numbers.
    """
    factors = recording.factors
    try:
        if "box" in factors:
            left, top, right, bottom = (float(number) for number in factors["box"].split())
            if right <= left or bottom <= top:
                raise ValueError("the box is empty")
            return lambda position: (left, top, right, bottom)
        if "boxes" in factors:
            lines = (line.split() for line in Path(factors["boxes"]).read_text().splitlines() if line.strip())
            table = {int(frame): tuple(map(float, rest)) for frame, *rest in lines}
            return lambda position: _corners(table.get(position))
    except (ValueError, OSError) as error:
        raise UserError(f"{recording.sources[0]}: the given boxes cannot be read ({error})") from error
    raise UserError(f"{recording.sources[0]}: no box is given (column `box`); use detector 'blazeface'")


def _corners(numbers: tuple[float, ...] | None) -> tuple[float, float, float, float] | None:
    if numbers is None:
        return None
    left, top, width, height = numbers
    return (left, top, left + width, top + height) if width > 0 and height > 0 else None
