"""The rendered head: depth, light and pose behave as geometry says."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dgfas.core.seeding import stable_rng
from dgfas.simulation.faces import EXTENT, CanonicalFace, canonical_face
from dgfas.simulation.fields import pixels, plane, rotated
from dgfas.simulation.identity import Identity, draw_identity
from dgfas.simulation.scene import HeadPose, Light, _shade, make_light, paint_place, render_head

SIDE = 96
STRAIGHT = HeadPose(yaw=0, pitch=0, roll=0, scale=1.0, shift_x=0, shift_y=0, eyelid=0)


@pytest.fixture(scope="module")
def person() -> tuple[Identity, CanonicalFace]:
    identity = replace(draw_identity(stable_rng("test person")), glasses=False, beard=0.0, moustache=0.0)
    return identity, canonical_face(identity, round(EXTENT * SIDE), 0.0)


def render(person: tuple[Identity, CanonicalFace], pose: HeadPose, light: Light) -> tuple[np.ndarray, np.ndarray]:
    identity, face = person
    return render_head(face, identity, pose, light, np.full((SIDE, SIDE, 3), 0.2, np.float32))


def front_light() -> Light:
    return make_light(elevation_degrees=10, azimuth_degrees=0, key=0.8, ambient=0.3, warmth=0)


def test_light_points_where_its_angles_say() -> None:
    assert make_light(0, 0, 1, 1, 0).direction == pytest.approx((0, 0, 1))
    assert make_light(90, 0, 1, 1, 0).direction == pytest.approx((0, -1, 0), abs=1e-9)  # above: y points down
    assert make_light(0, 30, 1, 1, 0).direction == pytest.approx((0.5, 0, math.sqrt(3) / 2))
    warm = make_light(0, 0, 2.0, 1.0, 0.1)
    assert warm.key == pytest.approx([2.2, 2.0, 1.8])
    assert warm.ambient == pytest.approx([1.05, 1.0, 0.95])


def test_nose_is_nearest_and_background_is_zero(person: tuple[Identity, CanonicalFace]) -> None:
    _, depth = render(person, STRAIGHT, front_light())
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    assert abs(column - SIDE / 2) < 4
    assert SIDE * 0.48 < row < SIDE * 0.68
    assert depth.max() == pytest.approx(1, abs=0.02)
    assert depth[:4, :4].max() < 0.02
    on_face = depth[depth > 0.5]
    assert on_face.size > 0.15 * depth.size


def test_turning_the_head_moves_the_nose(person: tuple[Identity, CanonicalFace]) -> None:
    columns = [
        np.unravel_index(render(person, replace(STRAIGHT, yaw=yaw), front_light())[1].argmax(), (SIDE, SIDE))[1]
        for yaw in (-0.3, 0.0, 0.3)
    ]
    assert columns[0] < columns[1] - 3 < columns[2] - 6


def test_side_light_brightens_its_side(person: tuple[Identity, CanonicalFace]) -> None:
    from_right = make_light(elevation_degrees=10, azimuth_degrees=60, key=1.0, ambient=0.1, warmth=0)
    image, _ = render(person, STRAIGHT, from_right)
    middle = slice(SIDE // 3, 2 * SIDE // 3)
    right = image[middle, SIDE // 2 + 8 : SIDE // 2 + 24].mean()
    left = image[middle, SIDE // 2 - 24 : SIDE // 2 - 8].mean()
    assert right > 1.5 * left


def test_a_wall_casts_a_shadow_away_from_the_light(person: tuple[Identity, CanonicalFace]) -> None:
    x, _ = plane(SIDE, 1.0)
    wall = np.where(np.abs(x) < 0.1, 0.5, 0.0).astype(np.float32)
    albedo = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    from_right = make_light(elevation_degrees=0, azimuth_degrees=45, key=1.0, ambient=0.0, warmth=0)
    lit = _shade(person[0], albedo, wall, np.zeros_like(wall), from_right, 2 / SIDE)[SIDE // 2, :, 1]
    shadow, sun = lit[(x[0] > -0.4) & (x[0] < -0.2)].mean(), lit[(x[0] > 0.6) & (x[0] < 0.8)].mean()
    assert shadow < 0.4 * sun
    assert lit[x[0] < -0.85].mean() == pytest.approx(sun, rel=0.1)  # the shadow has an end


def test_closed_eyes_change_only_the_eyes(person: tuple[Identity, CanonicalFace]) -> None:
    identity, _ = person
    opened, _ = render(person, STRAIGHT, front_light())
    closed, _ = render(person, replace(STRAIGHT, eyelid=1.0), front_light())
    x, y = plane(SIDE, 1.0)
    near_eyes = (np.abs(np.abs(x) - identity.eye_distance) < 0.2) & (np.abs(y - identity.eye_y) < 0.15)
    change = np.abs(opened - closed).max(axis=2)
    assert change[near_eyes].max() > 0.02
    assert change[~near_eyes].max() < 1e-5


def test_no_edge_effect_at_the_lower_border(person: tuple[Identity, CanonicalFace]) -> None:
    """A crop of a larger picture shows the same as a picture of the crop: the last rows are no special place."""
    identity, face = person
    image, _ = render(person, replace(STRAIGHT, scale=1.15), front_light())
    larger_side = round(SIDE * EXTENT)
    small = replace(STRAIGHT, scale=1.15 / EXTENT)
    larger, _ = render_head(
        face, identity, small, front_light(), np.full((larger_side, larger_side, 3), 0.2, np.float32)
    )
    margin = (larger_side - SIDE) // 2
    inner = larger[margin : margin + SIDE, margin : margin + SIDE]
    column = SIDE // 2
    assert image[-3:, column, 1] == pytest.approx(inner[-3:, column, 1], abs=0.03)


def test_places_differ_and_stay_the_same() -> None:
    again = [paint_place(3, np.random.default_rng(0), True) for _ in range(2)]
    assert np.array_equal(*again)
    assert not np.array_equal(again[0], paint_place(4, np.random.default_rng(0), True))
    plain = paint_place(3, np.random.default_rng(0), False)
    assert np.abs(np.diff(plain, axis=0)).max() < 0.05  # a wall has no edges


def test_pixel_positions_invert_the_plane() -> None:
    x, _ = plane(10, EXTENT)
    assert pixels(x, 10, EXTENT)[0] == pytest.approx(np.arange(10), abs=1e-4)
    u, v = rotated(np.array([1.0]), np.array([0.0]), math.pi / 6)
    assert (u[0], v[0]) == pytest.approx((math.cos(math.pi / 6), -0.5))
