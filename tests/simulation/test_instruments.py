"""Paper and screens: what a held sheet shows, against plain formulas."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dgfas.simulation.capture_domains import DisplayModel, PrintModel, load_domain
from dgfas.simulation.displays import display_radiance, draw_display
from dgfas.simulation.faces import EXTENT
from dgfas.simulation.instruments import Hold, draw_hold, present, print_reflectance, saturated, shaken
from dgfas.simulation.scene import Light, make_light

SIDE = 64
FLAT = Hold(tilt_x=0, tilt_y=0, roll=0, scale=1, shift_x=0, shift_y=0)


@pytest.fixture
def light() -> Light:
    return make_light(0, 0, 1.0, 0.4, 0)


def plain_print(**changes: object) -> PrintModel:
    model = load_domain("desk").prints[0]
    off = dict.fromkeys(
        ("halftone_contrast", "grain_contrast", "fibre_contrast", "banding_contrast", "crease_probability"), 0.0
    )
    return model.model_copy(update={**off, **changes})


def plain_display(**changes: object) -> DisplayModel:
    model = load_domain("desk").displays[0]
    off = dict.fromkeys(
        ("grid_contrast", "moire_contrast", "refresh_contrast", "block_contrast", "reflection", "black"), 0.0
    )
    return model.model_copy(update={**off, "white": (1.0, 1.0, 1.0), **changes})


def test_a_flat_sheet_shows_the_middle_of_its_picture(light: Light) -> None:
    sheet = present(FLAT, light, SIDE)
    side = round(SIDE * EXTENT)
    ramp = np.tile(np.linspace(-EXTENT, EXTENT, side, dtype=np.float32), (side, 1))
    assert sheet.seen(ramp)[10] == pytest.approx(sheet.x[10], abs=0.04)
    assert sheet.irradiance[5, 5] == pytest.approx(0.75 * 0.4 + 1.0, abs=1e-5)


def test_shaking_is_a_small_step() -> None:
    rng = np.random.default_rng(0)
    hold = draw_hold(rng)
    moved = shaken(hold, rng)
    assert moved != hold
    assert abs(moved.shift_x - hold.shift_x) < 0.05
    assert moved.bend == hold.bend


def test_white_paper_and_full_ink() -> None:
    rng = np.random.default_rng(1)
    model = plain_print(white=(0.9, 0.8, 0.7), black=0.1)
    white = print_reflectance(np.ones((SIDE, SIDE, 3), np.float32), model, SIDE, rng)
    black = print_reflectance(np.zeros((SIDE, SIDE, 3), np.float32), model, SIDE, rng)
    assert white[30, 30] == pytest.approx((0.9, 0.8, 0.7), abs=1e-3)
    assert 0.02 < black[30, 30].min() <= black[30, 30].max() < 0.13


def test_halftone_has_its_frequency() -> None:
    """A grey screen at 45 degrees repeats along x with sqrt(2) periods a cycle."""
    model = plain_print(halftone_contrast=0.2, halftone_cycles=(10, 10), halftone_grey=1.0)
    sheet = print_reflectance(np.full((256, 256, 3), 0.5, np.float32), model, 256, np.random.default_rng(2))[..., 1]
    spectrum = np.abs(np.fft.fft2(sheet - sheet.mean()))
    row, column = np.unravel_index(spectrum[:128, :128].argmax(), (128, 128))
    assert math.hypot(row, column) == pytest.approx(10 * EXTENT, abs=1.0)


def test_saturation_keeps_luma() -> None:
    picture = np.random.default_rng(3).random((4, 4, 3)).astype(np.float32)
    grey = saturated(picture, 0.0)
    for row in range(4):
        for column in range(4):
            red, green, blue = picture[row, column]
            assert grey[row, column] == pytest.approx([0.3 * red + 0.59 * green + 0.11 * blue] * 3, rel=1e-4)


def test_a_screen_without_faults_shows_its_picture(light: Light) -> None:
    display = replace(draw_display(plain_display(gamma=1.0, saturation=1.0), np.random.default_rng(4)), falloff=(0, 0))
    dark = replace(light, ambient=np.zeros(3, np.float32), key=np.zeros(3, np.float32))
    sheet = present(FLAT, dark, SIDE)
    shown = display_radiance(np.full((SIDE, SIDE, 3), 0.5, np.float32), display, sheet, dark.key, 0)
    assert shown == pytest.approx(np.full((SIDE, SIDE, 3), 0.5**display.gamma), abs=1e-4)


@pytest.mark.parametrize("fault", ["grid", "moire", "refresh", "block"])
def test_each_fault_of_a_screen_shows(light: Light, fault: str) -> None:
    picture = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    sheet = present(FLAT, light, SIDE)

    def spread(**changes: float) -> float:
        display = draw_display(plain_display(**changes), np.random.default_rng(5))
        shown = display_radiance(picture, replace(display, falloff=(0, 0)), sheet, light.key, 0)
        return float((shown / shown.mean()).std())

    assert spread() < 1e-3
    assert 0.3 * 0.2 < spread(**{f"{fault}_contrast": 0.2}) < 1.3 * 0.2


def test_fringes_and_bands_drift_from_frame_to_frame(light: Light) -> None:
    picture = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    sheet = present(FLAT, light, SIDE)
    for fault in ("moire_contrast", "refresh_contrast"):
        display = draw_display(plain_display(**{fault: 0.2}), np.random.default_rng(6))
        first, second = (display_radiance(picture, display, sheet, light.key, frame) for frame in (0, 1))
        assert np.abs(first - second).max() > 0.01
