"""Pseudo-depth of a live face: its mesh, seen from the camera, as a small map."""

import numpy as np
from jaxtyping import Float, Float32
from scipy.spatial import Delaunay

from dgfas.faces.mesh import head_frame

#: Depth of the farthest visible point of the face, so that its rim differs from the background (0).
RIM_DEPTH = 0.25


def depth_from_mesh(
    landmarks: Float[np.ndarray, "468 3"], box: tuple[float, float, float, float], size: int = 32
) -> Float32[np.ndarray, "size size"]:
    """Draw the surface of a face as depth: 1 = nearest point, 0.25 = farthest visible point, 0 = background.

    `landmarks` (x, y, z; smaller z is nearer) and `box` (left, top, right, bottom), the region to draw, are in the
    same pixels. The points are joined by a Delaunay triangulation of their frontal view, which closes eyes and
    mouth and also holds for a turned face; every cell of the map takes the nearest triangle that covers its middle.
    """
    left, top, right, bottom = box
    pixels = (landmarks[:, :2] - (left, top)) * (size / (right - left), size / (bottom - top))
    triangles = surface(landmarks)
    distance = _nearest_distance(pixels[triangles], landmarks[:, 2][triangles], size)
    covered = np.isfinite(distance)
    depth = np.zeros((size, size), np.float32)
    if covered.any():
        near, far = distance[covered].min(), distance[covered].max()
        depth[covered] = 1 - (1 - RIM_DEPTH) * (distance[covered] - near) / max(far - near, 1e-9)
    return depth


def surface(landmarks: Float[np.ndarray, "468 3"]) -> np.ndarray:
    """Return the triangles `(T, 3)` of the face's surface as numbers of points, found in its frontal view."""
    frontal = landmarks @ head_frame(landmarks).T
    return Delaunay(frontal[:, :2]).simplices


def _nearest_distance(
    corners: Float[np.ndarray, "t 3 2"], z: Float[np.ndarray, "t 3"], size: int
) -> Float[np.ndarray, "size size"]:
    """Return the smallest z of the triangles over the middle of each cell; infinity where there is none."""
    origin, edge_a, edge_b = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0]
    seen = np.abs(area) > 1e-9  # triangles seen from the edge cover nothing
    origin, edge_a, edge_b, area, z = (array[seen] for array in (origin, edge_a, edge_b, area, z))
    # the weights of the second and third corner, and the height, are linear in the cell's position: a row (x, y, 1)
    weight_a = _plane(edge_b[:, 1] / area, -edge_b[:, 0] / area, origin)
    weight_b = _plane(-edge_a[:, 1] / area, edge_a[:, 0] / area, origin)
    height = weight_a * (z[:, 1] - z[:, 0])[:, None] + weight_b * (z[:, 2] - z[:, 0])[:, None]
    height[:, 2] += z[:, 0]
    a, b = _at_cells(weight_a, size), _at_cells(weight_b, size)
    outside = (a < 0) | (b < 0) | (a + b > 1)
    return np.where(outside, np.inf, _at_cells(height, size)).min(axis=0, initial=np.inf)


def _plane(
    slope_x: Float[np.ndarray, " t"], slope_y: Float[np.ndarray, " t"], origin: Float[np.ndarray, "t 2"]
) -> Float[np.ndarray, "t 3"]:
    return np.column_stack([slope_x, slope_y, -(slope_x * origin[:, 0] + slope_y * origin[:, 1])])


def _at_cells(plane: Float[np.ndarray, "t 3"], size: int) -> Float[np.ndarray, "t size size"]:
    """Return the value of each plane in the middle of every cell (row, column)."""
    middles = np.arange(size) + 0.5
    by_column = plane[:, 0, None] * middles
    by_row = plane[:, 1, None] * middles + plane[:, 2, None]
    return by_row[:, :, None] + by_column[:, None, :]
