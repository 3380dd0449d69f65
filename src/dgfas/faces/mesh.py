"""The 468-point surface of a face (FaceMesh) and how the head is turned."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from dgfas.faces.crop import crop, crop_transform
from dgfas.faces.detection import Face
from dgfas.faces.network import Network

INPUT_SIDE = 192
POINTS = 468
CONTEXT = 1.5  # side of the mesh's input over the longer side of the box, as in MediaPipe
LEAST_PRESENCE = 0.5

#: Points by their number: outer eye corners, top of the forehead, chin, tip of the nose. Left and right of the image.
LEFT_EYE, RIGHT_EYE, FOREHEAD, CHIN, NOSE_TIP = 33, 263, 10, 152, 1


class FaceMesh:
    """FaceMesh: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019."""

    def __init__(self) -> None:
        self._network = Network("facemesh")

    def landmarks(
        self, image: UInt8[np.ndarray, "h w 3"], face: Face, context: float = CONTEXT
    ) -> Float[np.ndarray, "468 3"] | None:
        """Return the surface points (x, y, z) of a face in image pixels, or None if the model sees no face there.

        z has the scale of x and y; smaller is nearer, and its zero lies inside the head. `context` is the side of
        the region looked at over the longer side of the box.
        """
        into_input = crop_transform(face, (context - 1) / 2, "eyes", INPUT_SIDE)
        outputs = self._network(crop(image, into_input, INPUT_SIDE).astype(np.float32) / 255)
        points, presence = sorted(outputs, key=np.size, reverse=True)
        if 1 / (1 + np.exp(-float(presence.ravel()[0]))) < LEAST_PRESENCE:
            return None
        in_input = points.reshape(POINTS, 3).astype(np.float64)
        back = cv2.invertAffineTransform(into_input)
        flat = in_input[:, :2] @ back[:, :2].T + back[:, 2]
        scale = np.sqrt(abs(np.linalg.det(back[:, :2])))
        return np.column_stack([flat, in_input[:, 2] * scale])


def refined(face: Face, landmarks: Float[np.ndarray, "468 3"]) -> Face:
    """Return the face with the box and the outer eye corners of its mesh, which are far steadier than the detector's.

    Width and height of the box are measured along and across the line of the eyes, so a tilt does not change them.
    """
    flat = landmarks[:, :2]
    eyes = flat[[LEFT_EYE, RIGHT_EYE]]
    others = np.empty((0, 2)) if face.keypoints is None else face.keypoints[2:]
    along = (eyes[1] - eyes[0]) / max(float(np.linalg.norm(eyes[1] - eyes[0])), 1e-9)
    level = np.stack([along, (-along[1], along[0])])  # rows: along the eyes, across them
    low, high = (flat @ level.T).min(axis=0), (flat @ level.T).max(axis=0)
    x, y = ((low + high) / 2 @ level).tolist()
    width, height = (high - low).tolist()
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return replace(face, box=box, keypoints=np.concatenate([eyes, others]))


def head_frame(landmarks: Float[np.ndarray, "468 3"]) -> Float[np.ndarray, "3 3"]:
    """Return the head's own axes as rows: to its side (image right), down to the chin, and into the head."""
    across = landmarks[RIGHT_EYE] - landmarks[LEFT_EYE]
    down = landmarks[CHIN] - landmarks[FOREHEAD]
    across = across / np.linalg.norm(across)
    down = down - (down @ across) * across
    down = down / np.linalg.norm(down)
    return np.stack([across, down, np.cross(across, down)])


def head_angles(landmarks: Float[np.ndarray, "468 3"]) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) of a head in degrees, an estimate from the mesh; (0, 0, 0) looks into the camera.

    Positive yaw looks to the image's right, positive pitch looks down, positive roll leans clockwise in the image.
    """
    across, _, inward = head_frame(landmarks)
    looking = -inward
    yaw = np.arctan2(looking[0], -looking[2])
    pitch = np.arcsin(np.clip(looking[1], -1, 1))
    roll = np.arctan2(across[1], across[0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
