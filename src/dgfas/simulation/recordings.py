"""Recordings: consecutive frames of one subject, presentation, camera, light and place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dgfas.core.label import Label
from dgfas.core.seeding import stable_rng
from dgfas.simulation.cameras import photograph
from dgfas.simulation.capture_domains import CaptureDomain
from dgfas.simulation.displays import display_radiance, draw_display
from dgfas.simulation.enrolment import enrolment_session
from dgfas.simulation.faces import EXTENT, CanonicalFace, canonical_face
from dgfas.simulation.fields import Field, over, resized, soft_step
from dgfas.simulation.identity import Identity, draw_identity
from dgfas.simulation.instruments import Sheet, draw_hold, gloss_patches, present, print_reflectance, shaken
from dgfas.simulation.scene import HeadPose, render_head
from dgfas.simulation.visits import Visit, draw_mouth_opening, draw_poses, draw_visit, visit_factors

DEPTH_SIDE = 32


@dataclass(frozen=True)
class Frame:
    """One image of a recording."""

    image: np.ndarray  # (n, n, 3) uint8 RGB
    depth: np.ndarray | None  # (DEPTH_SIDE, DEPTH_SIDE) uint8, nearest 255, background 0; None for attacks
    factors: dict[str, str | float]  # ground truth, see FACTOR columns


def subject_identity(domain: CaptureDomain, subject: int, seed: int) -> Identity:
    """Return the person behind a subject's number: the same in all recordings of a data set, in no other domain."""
    return draw_identity(stable_rng("identity", seed, domain.name, subject))


def record(
    domain: CaptureDomain, subject: int, species: str, number: int, frames: int, image_size: int, seed: int
) -> Iterator[Frame]:
    """Draw one recording and yield its `frames` images of `image_size` pixels.

    `species` is "live" or one of the domain's attacks; `number` tells recordings of a subject apart.
    """
    rng = stable_rng("recording", seed, domain.name, subject, species, number)
    identity = subject_identity(domain, subject, seed)
    label = Label.LIVE if species == "live" else Label.SPOOF
    visit = draw_visit(domain, label, seed, rng)
    if species == "live":
        stream = _live(identity, visit, frames, image_size, rng)
    elif species == "replay":
        stream = _replay(domain, identity, visit, frames, image_size, seed, rng)
    else:
        stream = _print(domain, identity, visit, species == "cut", frames, image_size, seed, rng)
    for frame in stream:
        yield replace(frame, factors={**visit_factors(visit), **frame.factors})


def _pose_factors(pose: HeadPose, instrument: str, content: str) -> dict[str, str | float]:
    return {
        "factor_instrument": instrument,
        "factor_content": content,  # what an attack shows: a photo, or a moving recording
        "factor_yaw_degrees": float(np.degrees(pose.yaw)),
        "factor_pitch_degrees": float(np.degrees(pose.pitch)),
        "factor_roll_degrees": float(np.degrees(pose.roll)),
        "factor_eyelid": pose.eyelid,
    }


def _draw_face(identity: Identity, side: int, rng: np.random.Generator) -> CanonicalFace:
    return canonical_face(identity, round(EXTENT * side), draw_mouth_opening(rng))


def _live(identity: Identity, visit: Visit, frames: int, image_size: int, rng: np.random.Generator) -> Iterator[Frame]:
    backdrop = resized(visit.backdrop, visit.render_side)
    face = _draw_face(identity, visit.render_side, rng)
    for number, pose in enumerate(draw_poses(rng, frames)):
        radiance, depth = render_head(face, identity, pose, visit.light, backdrop)
        image = photograph(radiance, visit.capture, number, image_size, rng)
        levels = (resized(depth, DEPTH_SIDE) * 255 + 0.5).astype(np.uint8)
        yield Frame(image, levels, _pose_factors(pose, "none", "none"))


def _print(
    domain: CaptureDomain,
    identity: Identity,
    visit: Visit,
    cut: bool,
    frames: int,
    image_size: int,
    seed: int,
    rng: np.random.Generator,
) -> Iterator[Frame]:
    model = domain.prints[rng.integers(len(domain.prints))]
    pose = draw_poses(rng, 1)[0]
    side = visit.render_side
    sheet_side = round(EXTENT * side)
    reflectance = print_reflectance(enrolment_session(domain, identity, seed, rng)(pose), model, sheet_side, rng)
    gloss = gloss_patches(model.gloss, sheet_side, rng)
    hold, half, border = draw_hold(rng, model.bend), *_draw_edge(model.edge_probability, rng)
    backdrop = resized(visit.backdrop, side)
    behind = _draw_face(identity, side, rng) if cut else None
    eyes = draw_poses(rng, frames)
    for number in range(frames):
        sheet = present(hold, visit.light, side)
        surface = sheet.seen(reflectance) * sheet.irradiance + sheet.seen(gloss)[..., None] * visit.light.key
        if behind is not None:
            looking = replace(pose, eyelid=eyes[number].eyelid)
            live, _ = render_head(behind, identity, looking, visit.light, np.full_like(backdrop, 0.03))
            surface = over(surface, 0.85 * live, _eye_holes(identity, pose, sheet))
            pose = replace(pose, eyelid=eyes[number].eyelid)
        paper = np.array(model.white, np.float32) * 0.95 * sheet.irradiance
        scene = _framed(backdrop, paper, surface, sheet, half, border)
        yield Frame(
            photograph(scene, visit.capture, number, image_size, rng), None, _pose_factors(pose, model.name, "photo")
        )
        hold = shaken(hold, rng)


def _eye_holes(identity: Identity, pose: HeadPose, sheet: Sheet) -> Field:
    """Return the coverage of two ovals cut out around the printed eyes."""
    x, y = (sheet.x - pose.shift_x) / pose.scale, (sheet.y - pose.shift_y) / pose.scale
    centre_x = np.abs(x + 0.3 * np.sin(pose.yaw)) - identity.eye_distance
    centre_y = y + 0.3 * np.sin(pose.pitch) - identity.eye_y
    return soft_step((1 - (centre_x / 0.15) ** 2 - (centre_y / 0.075) ** 2) * 9)


def _replay(
    domain: CaptureDomain,
    identity: Identity,
    visit: Visit,
    frames: int,
    image_size: int,
    seed: int,
    rng: np.random.Generator,
) -> Iterator[Frame]:
    model = domain.displays[rng.integers(len(domain.displays))]
    moving = bool(rng.random() < model.video_probability)
    poses = draw_poses(rng, frames)
    take = enrolment_session(domain, identity, seed, rng)
    display = draw_display(model, rng)
    hold, half, border = draw_hold(rng), *_draw_edge(model.bezel_probability, rng)
    backdrop = resized(visit.backdrop, visit.render_side)
    bezel_reflectance = 0.015 if rng.random() < 0.7 else 0.5
    picture, pose = take(poses[0]), poses[0]
    for number in range(frames):
        if moving and number:
            picture, pose = take(poses[number]), poses[number]
        sheet = present(hold, visit.light, visit.render_side)
        surface = 1.3 * display_radiance(picture, display, sheet, visit.light.key, number)
        scene = _framed(backdrop, bezel_reflectance * sheet.irradiance, surface, sheet, half, border)
        content = "video" if moving else "photo"
        yield Frame(
            photograph(scene, visit.capture, number, image_size, rng), None, _pose_factors(pose, model.name, content)
        )
        hold = shaken(hold, rng)


def _draw_edge(probability: float, rng: np.random.Generator) -> tuple[tuple[float, float], float]:
    """Return half width and half height of what the sheet shows, and the width of its frame."""
    visible = rng.random() < probability
    width, height = float(rng.uniform(0.86, 1.02)), float(rng.uniform(0.92, 1.04))
    border = float(rng.uniform(0.03, 0.14))
    return ((width, height) if visible else (2.0, 2.0)), border


def _framed(
    backdrop: Field, frame: Field, surface: Field, sheet: Sheet, half: tuple[float, float], border: float
) -> Field:
    """Lay a surface within its frame (paper margin or bezel) over the backdrop."""
    scene = over(backdrop, frame, sheet.inside(half[0] + border, half[1] + border))
    return over(scene, surface, sheet.inside(*half))
