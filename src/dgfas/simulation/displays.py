"""The light of a screen that replays a photo or a recording, as a camera sees it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dgfas.simulation.capture_domains import DisplayModel
from dgfas.simulation.fields import Field, rotated, smooth_noise, soft_step, uniform
from dgfas.simulation.instruments import Sheet, saturated

GLOW_SIDE = 96  # pixels of the slowly varying fields of a screen


@dataclass(frozen=True)
class DisplayDraw:
    """A screen as one recording sees it: the frames share all of this, the phases then drift."""

    model: DisplayModel
    saturation: float
    gamma: float
    turn: float  # radians between screen and camera
    grid_contrast: float
    grid_cycles: float
    moire_contrast: float
    moire_cycles: float
    moire_angle: float
    moire_curvature: tuple[float, float, float]
    moire_phases: tuple[float, float, float]  # of red, green, blue
    moire_drift: float  # radians a frame
    refresh_cycles: float
    refresh_phase: float
    refresh_drift: float  # radians a frame
    block_cycles: float
    envelope: Field  # (GLOW_SIDE, GLOW_SIDE) where the fringes are strong
    reflection: Field  # (GLOW_SIDE, GLOW_SIDE) mirrored light
    falloff: tuple[float, float]  # relative loss of brightness to the sides


def draw_display(model: DisplayModel, rng: np.random.Generator) -> DisplayDraw:
    """Draw how a screen stands and glows in one recording."""
    phase = float(rng.uniform(0, 2 * math.pi))
    coloured = rng.random() < model.moire_colour
    phases = rng.uniform(0, 2 * math.pi, 3) if coloured else np.full(3, phase)
    patches = soft_step((smooth_noise(rng, GLOW_SIDE, 7) - float(rng.uniform(1.2, 1.9))) * 9)
    sheen = soft_step((smooth_noise(rng, GLOW_SIDE, 4) - 0.9) * 5) * float(rng.uniform(0, 0.6))
    return DisplayDraw(
        model=model,
        saturation=model.saturation * float(np.exp(rng.normal(0, 0.03))),
        gamma=2.2 * model.gamma * float(np.exp(rng.normal(0, 0.03))),
        turn=float(rng.normal(0, 0.04)),
        grid_contrast=model.grid_contrast * float(rng.uniform(0.7, 1.3)),
        grid_cycles=uniform(rng, model.grid_cycles),
        moire_contrast=model.moire_contrast * float(rng.uniform(0.6, 1.4)),
        moire_cycles=uniform(rng, model.moire_cycles),
        moire_angle=float(rng.uniform(-0.9, 0.9)),
        moire_curvature=(float(rng.normal(0, 0.25)), float(rng.normal(0, 0.25)), float(rng.normal(0, 0.25))),
        moire_phases=(float(phases[0]), float(phases[1]), float(phases[2])),
        moire_drift=float(rng.normal(0, 0.8)),
        refresh_cycles=uniform(rng, model.refresh_cycles),
        refresh_phase=float(rng.uniform(0, 2 * math.pi)),
        refresh_drift=float(rng.uniform(0.3, 2.5)),
        block_cycles=uniform(rng, model.block_cycles),
        envelope=np.clip(0.8 + 0.4 * smooth_noise(rng, GLOW_SIDE, 4), 0.2, 1.3),
        reflection=model.reflection * (patches + sheen),
        falloff=(0.1 * float(rng.normal(0, 0.7)), 0.1 * float(rng.normal(0, 0.7))),
    )


def display_radiance(picture: Field, display: DisplayDraw, sheet: Sheet, key: Field, frame: int) -> Field:
    """Return the linear radiance (n, n, 3) of a screen that shows a display-referred `picture` 0..1."""
    model, x, y = display.model, sheet.x, sheet.y
    shown = np.clip(saturated(sheet.seen(picture), display.saturation), 0, 1) ** display.gamma
    shown = (model.black + (1 - model.black) * shown) * np.array(model.white, np.float32)
    shown = shown * _lattice(x, y, display) * _fringes(sheet, display, frame)
    if model.block_contrast:
        squares = np.sign(np.cos(np.pi * display.block_cycles * x)) * np.sign(np.cos(np.pi * display.block_cycles * y))
        shown = shown * (1 + model.block_contrast * squares)[..., None]
    if model.refresh_contrast:
        phase = display.refresh_phase + frame * display.refresh_drift
        bands = np.tanh(2 * np.cos(np.pi * display.refresh_cycles * y + phase))
        shown = shown * (1 + model.refresh_contrast * bands)[..., None]
    shown = shown * (1 - display.falloff[0] * x - display.falloff[1] * y)[..., None]
    return shown + sheet.seen(display.reflection)[..., None] * key + 0.015 * sheet.irradiance


def _lattice(x: Field, y: Field, display: DisplayDraw) -> Field:
    """Return the gain (n, n, 3) of the pixel grid: colours side by side, rows below each other."""
    u, v = rotated(x, y, display.turn)
    rows = 0.5 * np.cos(np.pi * display.grid_cycles * v)
    colours = [np.cos(np.pi * display.grid_cycles * u + channel * 2 * math.pi / 3) for channel in range(3)]
    return 1 + display.grid_contrast * cv2.merge([colour + rows for colour in colours])


def _fringes(sheet: Sheet, display: DisplayDraw, frame: int) -> Field:
    """Return the gain (n, n, 3) of the curved moire fringes, which drift from frame to frame."""
    u, _ = rotated(sheet.x, sheet.y, display.moire_angle)
    bow_x, bow_y, twist = display.moire_curvature
    along = np.pi * display.moire_cycles * (u + bow_x * sheet.x**2 + bow_y * sheet.y**2 + twist * sheet.x * sheet.y)
    strength = display.moire_contrast * sheet.seen(display.envelope)
    drift = frame * display.moire_drift
    return 1 + cv2.merge([strength * np.cos(along + phase + drift) for phase in display.moire_phases])
