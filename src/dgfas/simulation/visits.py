"""The circumstances of a recording: light, place, camera and how the head moves."""

from dataclasses import dataclass, replace

import numpy as np

from dgfas.core.label import Label
from dgfas.core.seeding import stable_seed
from dgfas.simulation.cameras import Capture, draw_capture
from dgfas.simulation.capture_domains import CaptureDomain, Lighting
from dgfas.simulation.fields import Field, uniform
from dgfas.simulation.scene import HeadPose, Light, make_light, paint_place

LEAST_RENDER_SIDE = 96  # pixels; cameras of fewer pixels average over a finer rendering


@dataclass(frozen=True)
class Visit:
    """Where and with what a recording is made."""

    lighting: Lighting
    light: Light
    place: str
    backdrop: Field  # (PLACE_SIDE, PLACE_SIDE, 3) lit
    capture: Capture
    azimuth_degrees: float
    elevation_degrees: float

    @property
    def render_side(self) -> int:
        return max(LEAST_RENDER_SIDE, self.capture.resolution)


def draw_visit(domain: CaptureDomain, label: Label, seed: int, rng: np.random.Generator) -> Visit:
    """Draw light, place and camera settings of a recording in the data set of `seed`, which has places of its own."""
    weights = np.array([lighting.weight for lighting in domain.lightings])
    lighting = domain.lightings[rng.choice(len(weights), p=weights / weights.sum())]
    elevation, azimuth = uniform(rng, lighting.elevation_degrees), uniform(rng, lighting.azimuth_degrees)
    if lighting.either_side and rng.random() < 0.5:
        azimuth = -azimuth
    light = make_light(
        elevation, azimuth, uniform(rng, lighting.key), uniform(rng, lighting.ambient), uniform(rng, lighting.warmth)
    )
    place = f"{domain.name}-{lighting.name}-{rng.integers(lighting.places):02d}"
    behind = np.exp(0.15 * rng.standard_normal(3)) * uniform(rng, lighting.background)  # lamps of other colours
    backdrop = paint_place(stable_seed("place", seed, place), rng, lighting.cluttered) * behind.astype(np.float32)
    camera = domain.cameras[rng.integers(len(domain.cameras))]
    capture = draw_capture(domain, camera, label is Label.LIVE, rng)
    return Visit(lighting, light, place, backdrop, capture, azimuth, elevation)


def visit_factors(visit: Visit) -> dict[str, str | float]:
    """Return the ground truth of a visit, by the manifest's column."""
    return {
        "factor_camera": visit.capture.camera.name,
        "factor_lighting": visit.lighting.name,
        "factor_place": visit.place,
        "factor_light_azimuth_degrees": visit.azimuth_degrees,
        "factor_light_elevation_degrees": visit.elevation_degrees,
        "factor_sensor_pixels": float(visit.capture.resolution),
        "factor_jpeg_quality": float(visit.capture.jpeg_quality),
        "factor_noise": visit.capture.noise,
    }


def draw_poses(rng: np.random.Generator, frames: int) -> list[HeadPose]:
    """Draw a head that sways a little around its pose, and blinks now and then."""
    pose = HeadPose(
        yaw=float(rng.normal(0, 0.12)),
        pitch=float(rng.normal(0, 0.09)),
        roll=float(rng.normal(0, 0.05)),
        scale=float(rng.uniform(0.97, 1.2)),
        shift_x=float(rng.normal(0, 0.035)),
        shift_y=float(rng.normal(0.02, 0.035)),
        eyelid=float(rng.uniform(0, 0.25)),
    )
    blink_at = int(rng.integers(-frames, 2 * frames))  # one recording in three has a blink
    poses = []
    for number in range(frames):
        distance = abs(number - blink_at)
        closing = 1.0 if distance == 0 else 0.5 if distance == 1 else 0.0
        poses.append(replace(pose, eyelid=max(pose.eyelid, closing)))
        pose = replace(
            pose,
            yaw=pose.yaw + float(rng.normal(0, 0.015)),
            pitch=pose.pitch + float(rng.normal(0, 0.012)),
            roll=pose.roll + float(rng.normal(0, 0.006)),
            scale=pose.scale * float(np.exp(rng.normal(0, 0.004))),
            shift_x=pose.shift_x + float(rng.normal(0, 0.006)),
            shift_y=pose.shift_y + float(rng.normal(0, 0.006)),
        )
    return poses


def draw_mouth_opening(rng: np.random.Generator) -> float:
    """Draw how far a mouth is open, 0..1; mostly closed."""
    return float(np.clip(rng.normal(0, 0.3), 0, 1))
