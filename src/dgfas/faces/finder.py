"""From an image to the crop of its largest face, and that face's depth map and pose."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from dgfas.core.errors import UserError
from dgfas.core.recording import Recording
from dgfas.faces.crop import crop, crop_transform, into_crop
from dgfas.faces.depth import depth_from_mesh
from dgfas.faces.detection import Face, FaceDetector
from dgfas.faces.mesh import FaceMesh, head_angles
from dgfas.faces.options import PrepareOptions

NO_FACE = "no face found"

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
        with_mesh: bool = True,
    ) -> FaceCrop:
        """Return the crop of the largest face in an upright RGB image.

        `boxes` is needed by detector "given" only. `with_mesh` asks for depth and angles too.
        """
        options = self.options
        faces = self._faces(image, position, boxes)
        if not faces:
            return FaceCrop(position, None, 0, None, NO_FACE)
        face = faces[0]
        transform = crop_transform(
            face, options.margin if options.detector != "none" else 0, options.align, options.size
        )
        cropped = crop(image, transform, options.size)
        depth, angles = None, None
        points = self._landmarks(image, face) if with_mesh else None
        if points is not None:
            square = (0.0, 0.0, float(options.size), float(options.size))
            depth = depth_from_mesh(into_crop(points, transform), square, options.depth_size)
            angles = head_angles(points)
        return FaceCrop(position, cropped, len(faces), face.box, None, face.score, depth, angles)

    def _faces(self, image: UInt8[np.ndarray, "h w 3"], position: int, boxes: GivenBoxes | None) -> list[Face]:
        if self._detector is not None:
            return self._detector.detect(image)
        if self.options.detector == "none":
            return [Face((0.0, 0.0, float(image.shape[1]), float(image.shape[0])), 1.0)]
        box = boxes(position) if boxes is not None else None
        return [Face(box, 1.0)] if box is not None else []

    def _landmarks(self, image: UInt8[np.ndarray, "h w 3"], face: Face) -> np.ndarray | None:
        whole_image = self.options.detector == "none"
        return self._mesh.landmarks(image, face, context=1.0) if whole_image else self._mesh.landmarks(image, face)


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
