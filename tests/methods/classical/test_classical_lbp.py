"""Local binary patterns, against plain loops and closed cases."""

import math

import numpy as np
import pytest

from dgfas.methods.classical.lbp import code_histogram, grey_face, lbp_codes, n_codes

CIRCLES = [(8, 1), (8, 2), (16, 2)]


def bits_at(plane: np.ndarray, y: int, x: int, points: int, radius: int) -> list[bool]:
    """The bits around one pixel, anticlockwise from the right, with bilinear interpolation written out."""
    bits = []
    for k in range(points):
        row = y - round(radius * math.sin(2 * math.pi * k / points), 5)
        column = x + round(radius * math.cos(2 * math.pi * k / points), 5)
        top, left = math.floor(row), math.floor(column)
        bottom, right = math.ceil(row), math.ceil(column)
        down, across = row - top, column - left
        upper = (1 - across) * float(plane[top, left]) + across * float(plane[top, right])
        lower = (1 - across) * float(plane[bottom, left]) + across * float(plane[bottom, right])
        bits.append((1 - down) * upper + down * lower - float(plane[y, x]) >= 0)
    return bits


def changes(bits: list[bool]) -> int:
    return sum(bits[k] != bits[k - 1] for k in range(len(bits)))


@pytest.mark.parametrize(("points", "radius"), CIRCLES)
def test_patterns_share_a_code_exactly_where_they_should(points: int, radius: int) -> None:
    plane = np.random.default_rng(1).integers(0, 256, (40, 44), dtype=np.uint8)
    plane[:20] = np.sort(plane[:20], axis=1)  # half smooth, so that many patterns are uniform
    codes = lbp_codes(plane, points, radius)
    assert codes.shape == (40 - 2 * radius, 44 - 2 * radius)
    code_of: dict[tuple[bool, ...], int] = {}
    for y in range(radius, 40 - radius):
        for x in range(radius, 44 - radius):
            bits = bits_at(plane, y, x, points, radius)
            code = int(codes[y - radius, x - radius])
            if changes(bits) > 2:
                assert code == n_codes(points) - 1
            else:
                assert code_of.setdefault(tuple(bits), code) == code
    assert len(set(code_of.values())) == len(code_of) > points
    assert max(code_of.values()) < n_codes(points) - 1


def test_number_of_codes() -> None:
    for points, expected in ((8, 59), (16, 243)):
        patterns = ([bool(number >> k & 1) for k in range(points)] for number in range(2**points))
        uniform = sum(changes(bits) <= 2 for bits in patterns)
        assert n_codes(points) == uniform + 1 == expected


@pytest.mark.parametrize(("points", "radius"), CIRCLES)
def test_every_flat_plane_has_all_bits_set(points: int, radius: int) -> None:
    for grey in range(256):
        codes = lbp_codes(np.full((7, 7), grey, np.uint8), points, radius)
        assert (codes == n_codes(points) - 2).all()


@pytest.mark.parametrize(("points", "radius"), CIRCLES)
def test_a_ramp_has_one_code_with_half_the_bits_and_the_two_on_the_level_line(points: int, radius: int) -> None:
    plane = np.tile(np.arange(0, 200, 5, dtype=np.uint8), (20, 1))
    codes = np.unique(lbp_codes(plane, points, radius))
    assert len(codes) == 1
    n_set = points // 2 + 1
    assert (codes[0] - 1) // points + 1 == n_set  # codes 1 + (n_set - 1) * points + turn


@pytest.mark.parametrize(("points", "radius"), CIRCLES)
def test_a_quarter_turn_of_a_patch_turns_its_patterns(points: int, radius: int) -> None:
    plane = np.random.default_rng(2).integers(0, 256, (64, 64), dtype=np.uint8)
    plane = np.sort(np.sort(plane, axis=0), axis=1)
    before = code_histogram(lbp_codes(plane, points, radius), points)
    after = code_histogram(lbp_codes(np.rot90(plane).copy(), points, radius), points)
    assert after[[0, -2, -1]] == pytest.approx(before[[0, -2, -1]])
    turning = before[1:-2].reshape(points - 1, points)  # a row for each number of set bits, a column for each turn
    assert after[1:-2].reshape(points - 1, points) == pytest.approx(np.roll(turning, -points // 4, axis=1))
    assert not np.allclose(before, after)


def test_histogram_counts_shares() -> None:
    codes = np.array([[0, 0, 58], [57, 0, 5]])
    shares = code_histogram(codes, points=8)
    assert shares.shape == (59,)
    assert {code: shares[code] for code in np.flatnonzero(shares)} == pytest.approx(
        {0: 3 / 6, 5: 1 / 6, 57: 1 / 6, 58: 1 / 6}
    )


def test_grey_is_luma_after_resizing() -> None:
    face = np.zeros((128, 128, 3), np.uint8)
    face[:, :, 0], face[:, :, 1], face[:, :, 2] = 200, 100, 50
    grey = grey_face(face, 64)
    assert grey.shape == (64, 64)
    assert (grey == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()
