"""The canonical face: height field and reflectance of a person who looks straight ahead, without light or camera."""

from dataclasses import dataclass

import cv2
import numpy as np

from dgfas.simulation.fields import Field, bump, over, plane, smooth_noise, soft_step
from dgfas.simulation.identity import Identity

#: The canonical plane spans -EXTENT..EXTENT, a little more than the crop.
EXTENT = 1.3


@dataclass(frozen=True)
class CanonicalFace:
    """Fields of shape (n, n) over -EXTENT..EXTENT: what a turned head is warped from."""

    height: Field  # towards the camera, 0 at the plane behind the face
    bulk: Field  # the height without its steep rim: how far each point moves when the head turns
    eyes_open: Field  # (n, n, 3) reflectance, linear RGB
    eyes_closed: Field  # (n, n, 3)
    head: Field  # coverage of head and hair, 0..1
    face: Field  # coverage of the skin-bearing front of the head, 0..1


def canonical_face(identity: Identity, side: int, mouth_opening: float) -> CanonicalFace:
    """Paint `identity` on `side` x `side` pixels. `mouth_opening`: 0 closed .. 1 wide."""
    x, y = plane(side, EXTENT)
    rng = np.random.default_rng(identity.texture_seed)
    across = np.abs(x)
    radius = _outline(identity, across, y)
    face = soft_step((1 - radius) * 24)
    nose_tip_y = 0.16 + 0.3 * (identity.nose_length - 0.14)
    height = _height(identity, x, y, radius, nose_tip_y, mouth_opening)
    skin = _skin(identity, x, y, nose_tip_y, rng)
    skin = _mouth(identity, skin, x, y, mouth_opening)
    skin = over(
        skin, 0.12 * identity.skin, 0.75 * bump(across, y, identity.nose_width * 0.62, nose_tip_y + 0.035, 0.028, 0.018)
    )
    skin = _facial_hair(identity, skin, x, y, radius, rng)
    fringe, silhouette, strands = _hair(identity, x, y, rng)
    ears = _ears(identity, across, y)
    hair_colour = identity.hair * strands[..., None]
    lids = []
    for opening in (1.0, 0.12):
        albedo = over(hair_colour, identity.skin * 0.8, ears)
        albedo = over(albedo, _details(identity, skin, x, y, opening, face, rng), soft_step((1.03 - radius) * 24))
        lids.append(np.clip(over(albedo, hair_colour, fringe), 0.004, 0.95))
    head = 1 - (1 - face) * (1 - silhouette) * (1 - ears)
    height = height * face + 0.07 * np.maximum(fringe, silhouette * (1 - face)) + 0.05 * ears * (1 - face)
    bulk = cv2.GaussianBlur(height, (0, 0), 0.05 * side / (2 * EXTENT))
    return CanonicalFace(height, bulk, lids[0], lids[1], head, face)


def _outline(identity: Identity, across: Field, y: Field) -> Field:
    """Return a distance that is 1 on the outline of the face, less inside."""
    width = identity.head_width * (1 - identity.jaw_narrowing * np.clip(y + 0.02, 0, 1.2) ** 1.6)
    exponent = identity.head_squareness
    radius = (across / width) ** exponent + (np.abs(y) / identity.head_height) ** exponent
    return radius ** np.float32(2 / exponent)


def _height(identity: Identity, x: Field, y: Field, radius: Field, nose_tip_y: float, mouth_opening: float) -> Field:
    across = np.abs(x)
    eye_x, eye_y, mouth_y = identity.eye_distance, identity.eye_y, identity.mouth_y
    height = identity.head_depth * np.sqrt(np.clip(1 - radius, 0, 1))
    along = np.clip((y - eye_y + 0.02) / (nose_tip_y - eye_y), 0, 1)
    ridge = (along**1.3 * 0.8 + 0.12) * np.exp(-((x / (0.05 + 0.045 * along)) ** 2))
    ridge = ridge * soft_step((nose_tip_y + 0.02 - y) * 38) * soft_step((y - eye_y + 0.06) * 25)
    height += identity.nose_height * ridge
    height += identity.nose_height * 0.55 * bump(x, y, 0, nose_tip_y - 0.02, 0.075, 0.06)
    height += 0.045 * bump(across, y, identity.nose_width, nose_tip_y, 0.05, 0.045)
    height -= identity.socket_depth * bump(across, y, eye_x, eye_y, 0.14, 0.085)
    height += 0.045 * bump(across, y, eye_x, eye_y, 0.07, 0.05)
    height += identity.brow_ridge * bump(across, y, eye_x * 0.9, eye_y - 0.12, 0.17, 0.05)
    upper_lip = bump(x, y, 0, mouth_y - 0.03, identity.mouth_width * 0.8, 0.035)
    lower_lip = bump(x, y, 0, mouth_y + 0.045 + mouth_opening * 0.1, identity.mouth_width * 0.7, 0.04)
    height += identity.lip_height * (upper_lip + 1.1 * lower_lip)
    height -= 0.03 * bump(x, y, 0, mouth_y + mouth_opening * 0.05, identity.mouth_width, 0.018 + mouth_opening * 0.04)
    height -= 0.02 * bump(x, y, 0, mouth_y + 0.13 + mouth_opening * 0.1, 0.13, 0.04)
    height += identity.chin * bump(x, y, 0, 0.70, 0.14, 0.10)
    height += identity.cheeks * bump(across, y, 0.33, 0.12, 0.16, 0.14)
    return height


def _skin(identity: Identity, x: Field, y: Field, nose_tip_y: float, rng: np.random.Generator) -> Field:
    across, side = np.abs(x), x.shape[0]
    pores = (
        1
        + 0.035 * smooth_noise(rng, side, 12)
        + 0.03 * smooth_noise(rng, side, 48)
        + 0.03 * smooth_noise(rng, side, 96)
    )
    skin = identity.skin * pores[..., None]
    blush = 0.18 * bump(across, y, 0.35, 0.16, 0.16, 0.13) + 0.15 * bump(x, y, 0, nose_tip_y, 0.08, 0.07)
    skin = skin * (1 - (1 - identity.melanin) * blush[..., None] * np.array([0, 0.45, 0.4], np.float32))
    spots = (smooth_noise(rng, side, 70) > 1.4).astype(np.float32)
    skin = skin * (1 - identity.freckles * 2 * spots)[..., None]
    socket = 0.28 * bump(across, y, identity.eye_distance, identity.eye_y + 0.01, 0.15, 0.085)
    return skin * (1 - socket)[..., None]


def _mouth(identity: Identity, skin: Field, x: Field, y: Field, opening: float) -> Field:
    width, mouth_y, lip = identity.mouth_width, identity.mouth_y, identity.lip_thickness
    upper = bump(x, y, 0, mouth_y - 0.018, width, lip)
    lower = bump(x, y, 0, mouth_y + 0.035 + opening * 0.11, width * 0.82, lip * 1.25)
    lips = np.clip((upper + lower) * 1.4 - 0.25, 0, 1)
    skin = over(
        skin, identity.skin * np.array([0.95, 0.52, 0.55], np.float32) * (identity.lip_redness / 0.75), lips * 0.9
    )
    gap = bump(x, y + 0.02 * (x / width) ** 2, 0, mouth_y + opening * 0.05, width * 0.95, 0.010 + opening * 0.055)
    skin = skin * (1 - 0.85 * np.clip(gap * 1.2, 0, 1))[..., None]
    if opening > 0.25:
        teeth = 0.8 * bump(x, y, 0, mouth_y + 0.01, width * 0.6, 0.022)
        skin = over(skin, (0.60, 0.57, 0.50), teeth)
    return skin


def _facial_hair(identity: Identity, skin: Field, x: Field, y: Field, radius: Field, rng: np.random.Generator) -> Field:
    stubble = np.clip(0.8 + 0.3 * smooth_noise(rng, x.shape[0], 80), 0, 1)
    lips = np.clip(bump(x, y, 0, identity.mouth_y + 0.01, identity.mouth_width, identity.lip_thickness * 2), 0, 1)
    if identity.beard:
        jaw = soft_step((y - 0.30) * 14) * soft_step((radius - 0.30) * 12)
        skin = over(skin, identity.hair, identity.beard * jaw * stubble * (1 - lips))
    if identity.moustache:
        above_lip = bump(x, y, 0, identity.mouth_y - 0.085, identity.mouth_width * 0.95, 0.038)
        skin = over(skin, identity.hair, identity.moustache * above_lip * stubble)
    return skin


def _details(
    identity: Identity, skin: Field, x: Field, y: Field, opening: float, face: Field, rng: np.random.Generator
) -> Field:
    """Add eyes (opening 0..1), brows and glasses to the skin."""
    across = np.abs(x)
    from_eye_x, from_eye_y = across - identity.eye_distance, y - identity.eye_y
    half_opening = max(identity.eye_opening * opening, 0.006)
    inside = 1 - (from_eye_x / identity.eye_width) ** 2 - (from_eye_y / half_opening) ** 2
    eye = soft_step(inside * 5)
    white = np.array([0.62, 0.58, 0.55], np.float32) * (0.42 + 0.25 * (1 - identity.melanin))
    roundness = 0.75 + 0.25 * np.clip(1 - np.abs(from_eye_x) / identity.eye_width, 0, 1)
    albedo = over(skin, white * roundness[..., None], eye)
    from_pupil = np.hypot(from_eye_x, from_eye_y)
    albedo = over(albedo, identity.iris, eye * soft_step((0.047 - from_pupil) * 140))
    albedo = over(albedo, 0.01, eye * soft_step((0.021 - from_pupil) * 180))
    upper_lid = from_eye_y + half_opening * np.sqrt(np.clip(1 - (from_eye_x / identity.eye_width) ** 2, 0, 1))
    lashes = np.exp(-((upper_lid / 0.014) ** 2)) * (np.abs(from_eye_x) < identity.eye_width * 1.15)
    albedo = albedo * (1 - 0.75 * lashes)[..., None]
    brow_y = identity.eye_y - identity.brow_distance + identity.brow_slope * from_eye_x
    brow = np.exp(-(((y - brow_y) / identity.brow_thickness) ** 2))
    brow = brow * soft_step((0.155 - np.abs(from_eye_x)) * 45) * soft_step((across - 0.08) * 60)
    albedo = over(albedo, identity.hair, 0.85 * brow)
    if identity.glasses:
        ring = np.hypot(from_eye_x / 1.25, from_eye_y)
        frame = np.exp(-(((ring - 0.125) / 0.014) ** 2))
        frame += np.exp(-(((from_eye_y + 0.02) / 0.016) ** 2)) * (across < identity.eye_distance - 0.13)
        frame += np.exp(-(((from_eye_y + 0.03) / 0.016) ** 2)) * (across > identity.eye_distance + 0.15)
        albedo = over(albedo, 0.03, 0.9 * np.clip(frame, 0, 1) * face)
    return albedo


def _hair(identity: Identity, x: Field, y: Field, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Return the coverage of the fringe, of the whole hair behind the face, and the strands' relative brightness."""
    side = x.shape[0]
    wobble = 0.05 * smooth_noise(rng, side, 7) + 0.02 * smooth_noise(rng, side, 30)
    shape = np.hypot(x / (identity.head_width * identity.hair_volume), (y + 0.08) / (identity.head_height * 1.04))
    below_crown = soft_step((1 - shape) * 26)
    line = identity.hair_line + identity.hair_line_curve * (x / identity.head_width) ** 2 + wobble
    fringe = below_crown * soft_step((line - y) * 28)
    silhouette = below_crown * soft_step((identity.hair_length + wobble - y) * 14)
    strand_noise = rng.standard_normal((14, side), dtype=np.float32)
    strands = 1 + 0.22 * cv2.resize(strand_noise, (side, side), interpolation=cv2.INTER_CUBIC)
    return fringe, silhouette, np.clip(strands, 0.4, 1.8)


def _ears(identity: Identity, across: Field, y: Field) -> Field:
    if not identity.ear_size:
        return np.zeros_like(across)
    distance = ((across - identity.head_width * 0.98) / (identity.ear_size * 0.75)) ** 2 + (
        (y + 0.03) / (identity.ear_size * 1.5)
    ) ** 2
    return soft_step((1 - distance) * 8)
