"""From an image to the crop of its largest face, and that face's depth map and pose."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from dgfas.faces.crop import crop, crop_transform, into_crop
from dgfas.faces.depth import depth_from_mesh
from dgfas.faces.detection import Face, FaceDetector
from dgfas.faces.given import GivenBoxes
from dgfas.faces.mesh import FaceMesh, head_angles, refined
from dgfas.faces.options import PrepareOptions

NO_FACE = "no face found"

Landmarks = Float[np.ndarray, "468 3"]


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
        given_depth: UInt8[np.ndarray, "h w"] | None = None,
    ) -> FaceCrop:
        """Return the crop of the largest face in an upright RGB image.

        `boxes` is needed by detector "given" only. Without `with_depth` depth and angles are left out. `given_depth`
        (255 nearest) takes the place of the mesh's depth.
        """
        options = self.options
        faces = self._faces(image, position, boxes)
        if not faces:
            return FaceCrop(position, None, 0, None, NO_FACE)
        face, points = faces[0]
        margin = 0.0 if options.detector == "none" else options.margin
        transform = crop_transform(face, margin, options.align, options.size)
        cropped = crop(image, transform, options.size)
        angles = None if points is None or not with_depth else head_angles(points)
        depth = None
        if given_depth is not None:
            depth = self._given(given_depth, image, transform)
        elif points is not None and with_depth:
            square = (0.0, 0.0, float(options.size), float(options.size))
            depth = depth_from_mesh(into_crop(points, transform), square, options.depth_size)
        return FaceCrop(position, cropped, len(faces), face.box, None, face.score, depth, angles)

    def _given(
        self,
        depth: UInt8[np.ndarray, "h w"],
        image: UInt8[np.ndarray, "h w 3"],
        transform: Float[np.ndarray, "2 3"],
    ) -> Float32[np.ndarray, "depth_size depth_size"]:
        """Cut a depth map of a frame as its face was cut."""
        options = self.options
        full = cv2.resize(depth, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
        cropped = cv2.warpAffine(full, transform, (options.size, options.size), borderMode=cv2.BORDER_REPLICATE)
        side = (options.depth_size, options.depth_size)
        return cv2.resize(cropped, side, interpolation=cv2.INTER_AREA).astype(np.float32) / 255

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
        height, width = image.shape[:2]
        box = boxes(position, width, height) if boxes is not None else None
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
