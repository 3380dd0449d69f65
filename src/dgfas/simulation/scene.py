"""Light, place and pose: what stands before the camera as linear radiance, and the true depth of a live face."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dgfas.simulation.faces import EXTENT, CanonicalFace
from dgfas.simulation.fields import Field, bump, over, pixels, plane, rotated, smooth_noise, soft_step
from dgfas.simulation.identity import Identity

#: Distances (half crops) at which a shadow ray looks for something in the way.
SHADOW_STEPS = (0.06, 0.14, 0.26, 0.40)
WRAP = 0.25  # how far diffuse light reaches past the terminator
HEAD_PIVOT = 0.25  # height of the axis about which the head turns
MARGIN = 5  # pixels rendered beyond the crop, where slopes and shadows are not yet right
PLACE_SIDE = 160  # pixels across a painted place


@dataclass(frozen=True)
class Light:
    """A directional key light and an ambient one. `direction` is a unit vector towards the light (x, y, z)."""

    direction: tuple[float, float, float]
    key: Field  # (3,) irradiance of a surface that faces the light
    ambient: Field  # (3,)


def make_light(elevation_degrees: float, azimuth_degrees: float, key: float, ambient: float, warmth: float) -> Light:
    """Return a light. `warmth` > 0 is redder, < 0 bluer; the ambient light takes half of it."""
    azimuth, elevation = math.radians(azimuth_degrees), math.radians(elevation_degrees)
    direction = (math.sin(azimuth) * math.cos(elevation), -math.sin(elevation), math.cos(azimuth) * math.cos(elevation))
    tint = np.array([warmth, 0, -warmth], np.float32)
    return Light(direction, key * (1 + tint), ambient * (1 + tint / 2))


@dataclass(frozen=True)
class HeadPose:
    """How the head is held in one frame. Angles in radians, lengths in half crops."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift_x: float
    shift_y: float
    eyelid: float  # 0 open .. 1 closed


def paint_place(place_seed: int, rng: np.random.Generator, cluttered: bool) -> Field:
    """Paint the reflectance (PLACE_SIDE, PLACE_SIDE, 3) of a place; `rng` moves the viewpoint from visit to visit."""
    place = np.random.default_rng(place_seed)
    side = PLACE_SIDE
    x, y = plane(side, EXTENT)
    wall = place.uniform(0.1, 0.7) * np.exp(0.2 * place.standard_normal(3))
    image = np.ones((side, side, 3), np.float32) * wall.astype(np.float32)
    image *= (1 + place.uniform(-0.2, 0.2) * x + place.uniform(-0.2, 0.2) * y)[..., None]
    if not cluttered:
        return np.clip(image * np.exp(0.015 * smooth_noise(place, side, 5))[..., None], 0.01, 1)
    view_x, view_y = rng.uniform(-0.4, 0.4, 2)
    for _ in range(place.integers(6, 12)):
        centre_x, centre_y = place.uniform(-1.6, 1.6, 2)
        width, height = place.uniform(0.08, 0.6, 2)
        colour = (place.beta(1, 1.6) * 0.8 + 0.02) * np.clip(1 + 0.3 * place.standard_normal(3), 0.1, 2)
        u, v = x - np.float32(centre_x + view_x), y - np.float32(centre_y + view_y)
        thing = np.hypot(u / width, v / height) < 1 if place.random() < 0.3 else (abs(u) < width) & (abs(v) < height)
        image = np.where(thing[..., None], colour.astype(np.float32) * (1 + 0.2 * v)[..., None], image)
    image *= np.exp(0.08 * smooth_noise(place, side, 16))[..., None]
    return np.clip(cv2.GaussianBlur(image, (0, 0), place.uniform(1.0, 3.0)), 0.01, 1)


def render_head(
    canonical: CanonicalFace, identity: Identity, pose: HeadPose, light: Light, backdrop: Field
) -> tuple[Field, Field]:
    """Render a live person before a lit `backdrop` (n, n, 3), which fixes the size.

    Returns the linear radiance (n, n, 3) and the true depth (n, n): 1 nearest, 0 background.
    """
    side = backdrop.shape[0]
    pitch = 2 / side
    backdrop = cv2.copyMakeBorder(backdrop, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    x, y = plane(side + 2 * MARGIN, 1 + MARGIN * pitch)
    map_x, map_y = _warp(canonical, pose, x, y)

    def warped(field: Field) -> Field:
        return cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    openness = 1 - pose.eyelid
    albedo = warped(canonical.eyes_closed + openness * (canonical.eyes_open - canonical.eyes_closed))
    head, face = warped(canonical.head), warped(canonical.face)
    canonical_pitch = 2 * EXTENT / canonical.head.shape[0]
    plane_x, plane_y = (map_x + 0.5) * canonical_pitch - EXTENT, (map_y + 0.5) * canonical_pitch - EXTENT
    height = warped(canonical.height) * (math.cos(pose.yaw) * math.cos(pose.pitch))
    height = height - plane_x * math.sin(pose.yaw) - plane_y * math.sin(pose.pitch)
    body = _body(identity, light, backdrop, (x - pose.shift_x) / pose.scale, (y - pose.shift_y) / pose.scale)
    radiance = over(body, _shade(identity, albedo, height, face, light, pitch), head)
    inside = slice(MARGIN, MARGIN + side)
    return radiance[inside, inside], _depth(height, face)[inside, inside]


def _warp(canonical: CanonicalFace, pose: HeadPose, x: Field, y: Field) -> tuple[Field, Field]:
    """Find by fixed-point steps which canonical point is seen at each pixel of the turned head."""
    side = canonical.height.shape[0]
    seen_x, seen_y = rotated((x - pose.shift_x) / pose.scale, (y - pose.shift_y) / pose.scale, pose.roll)
    sine_yaw, cosine_yaw = math.sin(pose.yaw), math.cos(pose.yaw)
    sine_pitch, cosine_pitch = math.sin(pose.pitch), math.cos(pose.pitch)
    point_x, point_y = seen_x, seen_y
    for _ in range(3):
        map_x, map_y = pixels(point_x, side, EXTENT), pixels(point_y, side, EXTENT)
        above_pivot = (
            cv2.remap(canonical.bulk, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - HEAD_PIVOT
        )
        point_x = (seen_x - sine_yaw * above_pivot) / cosine_yaw
        point_y = (seen_y - sine_pitch * above_pivot) / cosine_pitch
    return pixels(point_x, side, EXTENT), pixels(point_y, side, EXTENT)


def _shade(identity: Identity, albedo: Field, height: Field, face: Field, light: Light, pitch: float) -> Field:
    """Light a height field: wrapped Lambert, Blinn's highlight, cast shadow, ambient occlusion."""
    smooth = cv2.GaussianBlur(height, (0, 0), 0.012 / pitch)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / (8 * pitch))
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / (8 * pitch))
    normal_z = 1 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1)
    normal_x, normal_y = -slope_x * normal_z, -slope_y * normal_z
    to_x, to_y, to_z = light.direction
    facing = normal_x * to_x + normal_y * to_y + normal_z * to_z
    blocked = np.full_like(smooth, -1)
    for distance in SHADOW_STEPS:
        shift = np.array([[1, 0, -to_x * distance / pitch], [0, 1, -to_y * distance / pitch]], np.float32)
        towards = cv2.warpAffine(smooth, shift, smooth.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        blocked = np.maximum(blocked, towards - smooth - distance * to_z)
    lit = 1 - 0.8 * soft_step((blocked - 0.02) * 60)
    open_sky = np.clip(1 + 1.6 * (smooth - cv2.GaussianBlur(smooth, (0, 0), 0.1 / pitch)), 0.45, 1.15)
    diffuse = np.clip((facing + WRAP) / (1 + WRAP), 0, None) * lit
    half_length = math.sqrt(to_x**2 + to_y**2 + (to_z + 1) ** 2)
    half = [part / half_length for part in (to_x, to_y, to_z + 1)]
    mirror = np.clip(normal_x * half[0] + normal_y * half[1] + normal_z * half[2], 0, None) ** identity.gloss_exponent
    highlight = 2 * identity.shine * mirror * lit * face
    ambient = open_sky * (0.75 - 0.25 * normal_y)
    return (
        albedo * (ambient[..., None] * light.ambient + diffuse[..., None] * light.key)
        + highlight[..., None] * light.key
    )


def _body(identity: Identity, light: Light, backdrop: Field, x: Field, y: Field) -> Field:
    """Draw neck and shoulders over the backdrop."""
    neck = soft_step((0.38 - np.abs(x)) * 26) * soft_step((y - 0.2) * 20)
    roundness = 1 - 0.5 * (x / 0.42) ** 2
    under_chin = 1 - 0.55 * bump(x, y, 0, 0.88, 0.5, 0.16)
    skin = identity.skin * (0.5 * light.ambient + 0.35 * light.key)
    body = over(backdrop, skin * np.clip(roundness * under_chin, 0.1, 1)[..., None], neck)
    shoulders = soft_step((y - 1.0 - 0.25 * x * x + 0.06 * np.cos(3 * x)) * 16)
    return over(body, identity.clothes * (0.7 * light.ambient + 0.45 * light.key), shoulders)


def _depth(height: Field, face: Field) -> Field:
    """Scale the height of the face to 0.25 (rim) .. 1 (nearest point); 0 outside."""
    mask = np.clip(face * 1.6 - 0.6, 0, 1)
    inside = height[mask > 0.5]
    if inside.size == 0:
        return np.zeros_like(height)
    far, near = float(np.percentile(inside, 2)), float(inside.max())
    return (np.clip((height - far) / (near - far + 1e-6), 0, 1) * 0.75 + 0.25) * mask
