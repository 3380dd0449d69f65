"""The picture that an attacker shows: how it was taken and what happened to its file."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from dgfas.core.label import Label
from dgfas.simulation.cameras import jpeg_roundtrip, photograph
from dgfas.simulation.capture_domains import CameraModel, CaptureDomain
from dgfas.simulation.faces import EXTENT, canonical_face
from dgfas.simulation.fields import Field, resized, uniform
from dgfas.simulation.identity import Identity
from dgfas.simulation.scene import HeadPose, render_head
from dgfas.simulation.visits import draw_mouth_opening, draw_visit

PHOTO_SIDE = 208  # pixels of an enrolment photo

#: A good camera in friendly hands, which takes the photos that attacks show.
ENROLMENT_CAMERA = CameraModel(
    name="enrolment",
    resolution_pixels=(PHOTO_SIDE, PHOTO_SIDE),
    blur_pixels=(0.5, 0.8),
    noise=0.006,
    colour_noise=0,
    denoise=0.3,
    sharpening=0.3,
    white_balance_red=1,
    white_balance_blue=1,
    contrast=1.03,
    saturation=1,
    jpeg_quality=(85, 96),
    flicker_contrast=0,
    flicker_cycles=(1, 1),
    column_contrast=0,
    mosaic_contrast=0,
    mosaic_cycles=0,
)


def enrolment_session(
    domain: CaptureDomain, identity: Identity, seed: int, rng: np.random.Generator
) -> Callable[[HeadPose], Field]:
    """Return the session in which the attacker got a picture: a function from pose to photo (n, n, 3) 0..1."""
    session = draw_visit(domain.model_copy(update={"cameras": (ENROLMENT_CAMERA,)}), Label.LIVE, seed, rng)
    session = replace(session, capture=replace(session.capture, flare=0.0, flicker_step=0.0))
    backdrop, face = (
        resized(session.backdrop, PHOTO_SIDE),
        canonical_face(identity, round(EXTENT * PHOTO_SIDE), draw_mouth_opening(rng)),
    )
    recompressed = rng.random() < domain.enrolment.recompression_probability
    quality = int(uniform(rng, domain.enrolment.recompression_quality))
    noise_seed = int(rng.integers(2**31))

    def take(pose: HeadPose) -> Field:
        whole = replace(pose, scale=pose.scale / EXTENT, shift_x=pose.shift_x / EXTENT, shift_y=pose.shift_y / EXTENT)
        radiance, _ = render_head(face, identity, whole, session.light, backdrop)
        photo = photograph(radiance, session.capture, 0, PHOTO_SIDE, np.random.default_rng(noise_seed))
        if domain.enrolment.smoothing_levels:
            photo = cv2.bilateralFilter(photo, 7, domain.enrolment.smoothing_levels, 2.5)
        if recompressed:
            photo = resized(jpeg_roundtrip(resized(photo, PHOTO_SIDE // 2), quality), PHOTO_SIDE)
        return photo.astype(np.float32) / 255

    return take
