"""Depth of surfaces whose answer is known, and of the astronaut."""

import numpy as np
import pytest

from dgfas.faces.crop import crop_transform, into_crop
from dgfas.faces.depth import RIM_DEPTH, depth_from_mesh, surface
from dgfas.faces.detection import Face, FaceDetector
from dgfas.faces.mesh import CHIN, FOREHEAD, LEFT_EYE, NOSE_TIP, RIGHT_EYE, FaceMesh, head_angles

SIDE = 200.0
BOX = (0.0, 0.0, SIDE, SIDE)


def head(turn: float = 0.0, nod: float = 0.0, lean: float = 0.0) -> np.ndarray:
    """468 points of an egg with a long nose; `turn`, `nod`, `lean` in degrees (image right, down, clockwise).

    The numbered points that the code relies on lie where a face has them.
    """
    golden = np.arange(468) * 2.399963
    radius = np.sqrt((np.arange(468) + 0.5) / 468)
    across, down = radius * np.cos(golden), radius * np.sin(golden)
    for number, place in {
        LEFT_EYE: (-0.6, -0.3),
        RIGHT_EYE: (0.6, -0.3),
        FOREHEAD: (0.0, -0.95),
        CHIN: (0.0, 0.95),
        NOSE_TIP: (0.0, 0.1),
    }.items():
        across[number], down[number] = place
    bulge = 50 * np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    nose = 45 * np.exp(-(across**2) / 0.02 - (down - 0.1) ** 2 / 0.05)
    points = np.column_stack([60 * across, 80 * down, -(bulge + nose)])
    return points @ rotation(turn, nod, lean).T + (SIDE / 2, SIDE / 2, 0)


def rotation(turn: float, nod: float, lean: float) -> np.ndarray:
    a, b, c = np.radians([turn, nod, lean])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def nearest_by_loops(points: np.ndarray, triangles: np.ndarray, x: float, y: float) -> float | None:
    """Smallest z over (x, y) of the triangles, one after the other."""
    best = None
    for a, b, c in points[triangles]:
        edges = np.array([[b[0] - a[0], c[0] - a[0]], [b[1] - a[1], c[1] - a[1]]])
        if abs(np.linalg.det(edges)) < 1e-9:
            continue
        s, t = np.linalg.solve(edges, (x - a[0], y - a[1]))
        if s >= 0 and t >= 0 and s + t <= 1:
            z = a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2])
            best = z if best is None else min(best, z)
    return best


@pytest.mark.parametrize("turn", [0, 35, -60])
def test_depth_against_plain_loops(turn: float) -> None:
    points, size = head(turn), 7
    depth = depth_from_mesh(points, BOX, size)
    triangles = surface(points)
    cell = SIDE / size
    expected = np.full((size, size), np.nan)
    for row in range(size):
        for column in range(size):
            z = nearest_by_loops(points, triangles, (column + 0.5) * cell, (row + 0.5) * cell)
            if z is not None:
                expected[row, column] = z
    near, far = np.nanmin(expected), np.nanmax(expected)
    expected = 1 - (1 - RIM_DEPTH) * (expected - near) / (far - near)
    np.testing.assert_allclose(depth, np.nan_to_num(expected), atol=1e-5)


def test_on_a_turned_head_the_nose_hides_the_cheek_behind_it() -> None:
    points = head(turn=60)
    depth = depth_from_mesh(points, BOX, 64)
    x, y = points[NOSE_TIP, :2] / SIDE * 64
    # left of the nose's tip, over the ridge, lies the far cheek; the ridge must win over it
    ridge = depth[int(y), int(x) - 6 : int(x)]
    behind = points[(np.abs(points[:, 1] - points[NOSE_TIP, 1]) < 8) & (points[:, 0] > SIDE / 2 + 20)]
    span = points[:, 2].max() - points[:, 2].min()
    far_cheek = 1 - (1 - RIM_DEPTH) * (np.median(behind[:, 2]) - points[:, 2].min()) / span
    assert (ridge > far_cheek).all()
    assert depth.max() == pytest.approx(1)


def test_depth_is_one_at_the_nearest_and_has_no_holes() -> None:
    depth = depth_from_mesh(head(), BOX, 32)
    assert depth.dtype == np.float32
    assert depth.max() == 1
    assert depth[depth > 0].min() == pytest.approx(RIM_DEPTH, abs=1e-6)
    assert np.unravel_index(depth.argmax(), depth.shape) in [(17, 15), (17, 16)]  # the nose lies at (100, 108)
    for row in depth > 0:
        filled = np.flatnonzero(row)
        assert filled.size == 0 or filled[-1] - filled[0] + 1 == filled.size
    assert depth[0, 0] == depth[31, 31] == depth[16, 0] == 0


def test_a_face_outside_the_region_is_background() -> None:
    assert (depth_from_mesh(head(), (500.0, 500.0, 600.0, 600.0), 16) == 0).all()


def test_a_larger_region_shrinks_the_face() -> None:
    covered = (depth_from_mesh(head(), BOX, 32) > 0).sum()
    smaller = (depth_from_mesh(head(), (-100.0, -100.0, 300.0, 300.0), 32) > 0).sum()
    assert smaller == pytest.approx(covered / 4, rel=0.1)


@pytest.mark.parametrize(("turn", "nod", "lean"), [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, -25), (-40, 0, 0)])
def test_angles_of_a_turned_head(turn: float, nod: float, lean: float) -> None:
    points = head(turn, nod, lean)
    yaw, pitch, roll = head_angles(points)
    assert (yaw, pitch, roll) == pytest.approx((turn, nod, lean), abs=1.5)
    if turn > 0:
        assert points[NOSE_TIP, 0] > SIDE / 2  # towards the image's right
    if nod > 0:
        assert points[NOSE_TIP, 1] > head()[NOSE_TIP, 1]


def test_astronaut_nose_before_eyes_before_rim(
    detector: FaceDetector, mesh: FaceMesh, variants: dict[str, np.ndarray]
) -> None:
    for name, image in variants.items():
        face = max(detector.detect(image), key=lambda face: face.score)
        points = mesh.landmarks(image, face)
        assert points is not None
        in_map = into_crop(points, crop_transform(face, 0.2, "none", 32))
        depth = depth_from_mesh(in_map, (0, 0, 32, 32))
        x, y = in_map[:, 0], in_map[:, 1]
        middle_x, middle_y = (x[LEFT_EYE] + x[RIGHT_EYE]) / 2, (y[LEFT_EYE] + y[RIGHT_EYE]) / 2
        nose = depth[int(y[NOSE_TIP]), int(x[NOSE_TIP])]
        eyes = [
            depth[int((y[corner] + middle_y) / 2), int((x[corner] + middle_x) / 2)] for corner in (LEFT_EYE, RIGHT_EYE)
        ]
        rim = np.median([row[row > 0][[0, -1]] for row in depth[8:24] if (row > 0).any()])
        assert nose > 0.95, name
        assert nose > max(eyes) + 0.1, name
        assert min(eyes) > rim + 0.1, name


def test_the_mesh_follows_a_tilt(detector: FaceDetector, mesh: FaceMesh, variants: dict[str, np.ndarray]) -> None:
    rolls = {}
    for name in ("original", "rotated 25 degrees"):
        face = max(detector.detect(variants[name]), key=lambda face: face.score)
        points = mesh.landmarks(variants[name], face)
        assert points is not None
        rolls[name] = head_angles(points)[2]
    assert rolls["original"] - rolls["rotated 25 degrees"] == pytest.approx(25, abs=4)


def test_the_mesh_sees_no_face_where_there_is_none(mesh: FaceMesh, astronaut: np.ndarray) -> None:
    spacesuit = Face((150.0, 300.0, 350.0, 500.0), 0.5)
    assert mesh.landmarks(astronaut, spacesuit) is None
