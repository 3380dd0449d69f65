"""The flat things that are held before a camera, their surfaces (paper and screens), and how they are held."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dgfas.simulation.capture_domains import PrintModel
from dgfas.simulation.faces import EXTENT
from dgfas.simulation.fields import (
    LUMA,
    Field,
    bump,
    pixels,
    plane,
    resized,
    rotated,
    smooth_noise,
    soft_step,
    uniform,
)
from dgfas.simulation.scene import Light


@dataclass(frozen=True)
class Hold:
    """How a sheet is held. Lengths in half crops, tilts as slopes, angles in radians."""

    tilt_x: float
    tilt_y: float
    roll: float
    scale: float
    shift_x: float
    shift_y: float
    bend: float = 0.0  # curvature of paper
    bend_direction: float = 0.0


def draw_hold(rng: np.random.Generator, bend_deviation: float = 0.0) -> Hold:
    """Draw how an attack is presented. Crops are cut around the shown face, so that place and size hardly vary."""
    return Hold(
        tilt_x=float(rng.normal(0, 0.07)),
        tilt_y=float(rng.normal(0, 0.07)),
        roll=float(rng.normal(0, 0.02)),
        scale=float(np.exp(rng.normal(0, 0.01))),
        shift_x=float(rng.normal(0, 0.01)),
        shift_y=float(rng.normal(0, 0.01)),
        bend=float(rng.normal(0, 1)) * bend_deviation,
        bend_direction=float(rng.uniform(-0.5, 0.5)),
    )


def shaken(hold: Hold, rng: np.random.Generator) -> Hold:
    """Return the hold a frame later: a hand's small step in every direction."""
    return replace(
        hold,
        tilt_x=hold.tilt_x + float(rng.normal(0, 0.008)),
        tilt_y=hold.tilt_y + float(rng.normal(0, 0.008)),
        roll=hold.roll + float(rng.normal(0, 0.006)),
        scale=hold.scale * float(np.exp(rng.normal(0, 0.005))),
        shift_x=hold.shift_x + float(rng.normal(0, 0.008)),
        shift_y=hold.shift_y + float(rng.normal(0, 0.008)),
    )


@dataclass(frozen=True)
class Sheet:
    """What a held sheet shows to a camera of (n, n) pixels."""

    x: Field  # (n, n) coordinates on the sheet
    y: Field
    irradiance: Field  # (n, n, 3) light that falls on it

    def seen(self, picture: Field) -> Field:
        """Return a picture (m, m, ...) that covers -EXTENT..EXTENT of the sheet as the camera sees it."""
        side = picture.shape[0]
        map_x, map_y = pixels(self.x, side, EXTENT), pixels(self.y, side, EXTENT)
        return cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def inside(self, half_width: float, half_height: float) -> Field:
        """Return the coverage (n, n) of a rectangle on the sheet."""
        sharpness = self.x.shape[0] / 2
        return soft_step((half_width - np.abs(self.x)) * sharpness) * soft_step(
            (half_height - np.abs(self.y)) * sharpness
        )


def present(hold: Hold, light: Light, side: int) -> Sheet:
    """Hold a sheet into the light before a camera of `side` pixels across the crop."""
    x, y = plane(side, 1.0)
    nearness = 1 + hold.tilt_x * x + hold.tilt_y * y
    sheet_x, sheet_y = rotated(x / nearness / hold.scale, y / nearness / hold.scale, hold.roll)
    sheet_x, sheet_y = sheet_x + hold.shift_x, sheet_y + hold.shift_y
    along, _ = rotated(sheet_x, sheet_y, hold.bend_direction)
    sheet_x = sheet_x + 0.25 * hold.bend * along**2
    slope_x, slope_y = 1.2 * hold.tilt_x + 1.5 * hold.bend * sheet_x, 1.2 * hold.tilt_y
    to_x, to_y, to_z = light.direction
    facing = np.clip((slope_x * to_x + slope_y * to_y + to_z) / np.sqrt(slope_x**2 + slope_y**2 + 1), 0, None)
    return Sheet(sheet_x, sheet_y, 0.75 * light.ambient + facing[..., None] * light.key)


def saturated(picture: Field, saturation: float) -> Field:
    """Scale the colour of a picture (n, n, 3) around its luma."""
    grey = (picture @ LUMA)[..., None]
    return grey + (picture - grey) * saturation


def print_reflectance(photo: Field, model: PrintModel, side: int, rng: np.random.Generator) -> Field:
    """Print a display-referred `photo` 0..1; returns linear reflectance (side, side, 3) over -EXTENT..EXTENT."""
    photo = resized(photo, side)
    x, y = plane(side, EXTENT)
    inked = np.clip(saturated(photo, model.saturation * float(np.exp(rng.normal(0, 0.03)))), 0, 1)
    inked = inked ** (2.2 * model.gamma * float(np.exp(rng.normal(0, 0.03))))
    black = model.black * float(rng.uniform(0.3, 1.2))
    sheet = black + (np.array(model.white, np.float32) - black) * inked
    middle_tones = np.clip(photo, 0.05, 0.95) * (1 - np.clip(photo, 0.05, 0.95))
    sheet = sheet * (1 + 4 * _varied(model.halftone_contrast, rng) * _halftone(x, y, model, rng) * middle_tones)
    relief = (
        1
        + model.grain_contrast * smooth_noise(rng, side, round(2 * EXTENT * uniform(rng, model.grain_cycles)))
        + model.fibre_contrast * _fibres(side, rng)
    )
    bands = np.sign(np.cos(np.pi * (y * uniform(rng, model.banding_cycles) + rng.uniform(0, 2))))
    relief = np.clip(relief, 0.3, 1.7) * (1 + _varied(model.banding_contrast, rng) * bands)
    if rng.random() < model.crease_probability:
        for _ in range(rng.integers(1, 4)):
            relief = relief * (1 + model.crease_contrast * _crease(x, y, rng))
    return (sheet * relief[..., None]).astype(np.float32)


def _varied(contrast: float, rng: np.random.Generator) -> float:
    return contrast * float(rng.uniform(0.7, 1.3))


def _halftone(x: Field, y: Field, model: PrintModel, rng: np.random.Generator) -> Field:
    """Return three screens of round-edged dots (n, n, 3), -1..1, turned against each other."""
    cycles, turn = uniform(rng, model.halftone_cycles), float(rng.normal(0, 0.1))
    screens = []
    for angle in (0.26, 1.31, 0.785):
        u, v = rotated(x, y, angle + turn)
        screens.append(np.tanh(1.1 * (np.cos(np.pi * cycles * u) + np.cos(np.pi * cycles * v))))
    grey = model.halftone_grey
    return cv2.merge([screen + grey * (screens[2] - screen) for screen in screens])


def _fibres(side: int, rng: np.random.Generator) -> Field:
    """Return streaks of about unit deviation in one direction."""
    angle, reach = float(rng.uniform(0, math.pi)), max(3, side // 22)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    step = (round(reach * math.cos(angle)), round(reach * math.sin(angle)))
    cv2.line(kernel, (reach - step[0], reach - step[1]), (reach + step[0], reach + step[1]), 1.0)
    streaks = cv2.filter2D(rng.standard_normal((side, side), dtype=np.float32), -1, kernel)
    return streaks / np.sqrt(kernel.sum())


def _crease(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Return a fold -1..1: bright on one side, dark on the other."""
    across, _ = rotated(x, y, float(rng.uniform(0, math.pi)))
    distance = (across - float(rng.uniform(-0.6, 0.6))) / 0.035
    return np.clip(distance, -1, 1) * np.exp(-np.abs(distance) / 1.5)


def gloss_patches(strength: float, side: int, rng: np.random.Generator) -> Field:
    """Return the mirror reflectance (side, side) of a glossy sheet: one broad lobe and some sharp patches."""
    x, y = plane(side, EXTENT)
    centre_x, centre_y = rng.uniform(-1, 1, 2)
    lobe = 0.4 * float(rng.uniform(0, 1)) * bump(x, y, float(centre_x), float(centre_y), 0.5, 0.7)
    patches = soft_step((smooth_noise(rng, side, 7) - float(rng.uniform(1.2, 1.9))) * 9)
    return strength * (lobe + patches)
