"""The feature vectors of ms_lbp, color_texture and lbp_top: sizes, layout, normalisation and closed cases."""

import colorsys

import numpy as np
import pytest

from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions
from dgfas.methods.classical.color_texture import ColorTexture, hsv_and_ycbcr
from dgfas.methods.classical.ida import Ida
from dgfas.methods.classical.lbp import code_histogram, grey_face, lbp_codes
from dgfas.methods.classical.lbp_top import LbpTop, plane_counts
from dgfas.methods.classical.ms_lbp import MsLbp

OPTIONS = ClassicalOptions(penalty=(1.0,), gamma=(1.0,), samples_per_cell=10)
FLAT, MIXED = 57, 58


def noise(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("method", "dimensions", "histograms"), [(MsLbp, 833, 11), (ColorTexture, 354, 6), (LbpTop, 177, 3), (Ida, 121, 0)]
)
@pytest.mark.parametrize("side", [64, 100, 40])
def test_dimensions_and_normalisation(
    method: type[ClassicalMethod], dimensions: int, histograms: int, side: int
) -> None:
    vector = method(OPTIONS).features([noise(k, side) for k in range(method.least_frames)])
    assert vector.shape == (dimensions,) == (method.dimensions,)
    assert np.isfinite(vector).all()
    if histograms:
        assert vector.sum() == pytest.approx(histograms)
        assert (vector >= 0).all()


@pytest.mark.parametrize("method", [MsLbp, ColorTexture, LbpTop, Ida])
def test_the_number_of_frames_is_checked(method: type[ClassicalMethod]) -> None:
    too_many_or_few = 2
    with pytest.raises(ValueError):  # noqa: PT011 - unpacking says how many there were
        method(OPTIONS).features([noise(k) for k in range(too_many_or_few)])


def test_ms_lbp_blocks_by_plain_loops() -> None:
    face = noise(3)
    vector = MsLbp(OPTIONS).features([face])
    codes = lbp_codes(grey_face(face, 64), 8, 1)
    assert codes.shape == (62, 62)
    place = 0
    for top in (0, 16, 32):
        for left in (0, 16, 32):
            counts = np.zeros(59)
            for y in range(top, top + 30):
                for x in range(left, left + 30):
                    counts[codes[y, x]] += 1 / 900
            assert vector[place : place + 59] == pytest.approx(counts)
            place += 59
    assert place == 531
    assert vector[531:590] == pytest.approx(code_histogram(lbp_codes(grey_face(face, 64), 8, 2), 8))
    assert vector[590:] == pytest.approx(code_histogram(lbp_codes(grey_face(face, 64), 16, 2), 16))


def test_ms_lbp_of_a_flat_face_has_one_code_a_histogram() -> None:
    vector = MsLbp(OPTIONS).features([np.full((64, 64, 3), 77, np.uint8)])
    expected = np.zeros(833)
    expected[[59 * k + FLAT for k in range(10)] + [590 + 241]] = 1
    assert vector == pytest.approx(expected)


def test_channels_of_color_texture_pixel_by_pixel() -> None:
    rgb = noise(4, 8)
    channels = hsv_and_ycbcr(rgb)
    assert channels.shape == (6, 8, 8)
    for y in range(8):
        for x in range(8):
            red, green, blue = (int(value) for value in rgb[y, x])
            hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
            luma = 0.299 * red + 0.587 * green + 0.114 * blue
            expected = [
                hue * 180,
                saturation * 255,
                value * 255,
                luma,
                0.564 * (blue - luma) + 128,
                0.713 * (red - luma) + 128,
            ]
            got = channels[:, y, x].astype(float)
            got[0] = expected[0] + (got[0] - expected[0] + 90) % 180 - 90  # hue is a circle
            assert got == pytest.approx(expected, abs=1.1)


def test_color_texture_orders_its_histograms_by_channel() -> None:
    grey_ramp = np.repeat(np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))[:, :, None], 3, axis=2)
    hue, saturation, value, luma, cb, cr = ColorTexture(OPTIONS).features([grey_ramp]).reshape(6, 59)
    for flat in (hue, saturation, cb, cr):  # a grey face has no colour, so these channels are level
        assert flat[FLAT] == 1
    for ramp in (value, luma):
        assert ramp[FLAT] == 0
        assert ramp.max() == 1
    face = noise(5)
    vector = ColorTexture(OPTIONS).features([face]).reshape(6, 59)
    for k, channel in enumerate(hsv_and_ycbcr(face)):
        assert vector[k] == pytest.approx(code_histogram(lbp_codes(channel, 8, 1), 8))


def test_lbp_top_by_slices() -> None:
    """Every voxel's code, from a slice cut out of the volume for it alone."""
    volume = np.random.default_rng(6).integers(0, 256, (3, 10, 12), dtype=np.uint8)
    counts = np.zeros((3, 59), int)
    for y in range(1, 9):
        for x in range(1, 11):
            slices = (
                volume[1, y - 1 : y + 2, x - 1 : x + 2],
                volume[:, y, x - 1 : x + 2],  # rows are time
                volume[:, y - 1 : y + 2, x],
            )
            for plane, part in enumerate(slices):
                counts[plane, lbp_codes(np.ascontiguousarray(part), 8, 1)[0, 0]] += 1
    assert (plane_counts(volume) == counts).all()


def test_lbp_top_adds_up_over_the_recording() -> None:
    faces = [noise(k) for k in range(5)]
    greys = np.stack([grey_face(face, 64) for face in faces])
    counts = sum(plane_counts(greys[t : t + 3]) for t in range(3))
    assert LbpTop(OPTIONS).features(iter(faces)) == pytest.approx((counts / (3 * 62 * 62)).ravel())


def test_lbp_top_of_a_still_recording_knows_no_change_in_time() -> None:
    face = noise(7)
    xy, xt, yt = LbpTop(OPTIONS).features([face] * 4).reshape(3, 59)
    assert xy == pytest.approx(code_histogram(lbp_codes(grey_face(face, 64), 8, 1), 8))
    # The circle's bits mirror in time and the two above and below are set. A pixel has all bits if neither neighbour is
    # darker, none but those two (not uniform) if both are, and else those of one side.
    grey = grey_face(face, 64).astype(int)
    for histogram, values in ((xt, grey[1:-1]), (yt, grey.T[1:-1])):
        before, centre, after = values[:, :-2], values[:, 1:-1], values[:, 2:]
        n_lower = (before < centre).astype(int) + (after < centre)
        assert histogram[FLAT] == pytest.approx((n_lower == 0).mean())
        assert histogram[MIXED] == pytest.approx((n_lower == 2).mean())
        one_side = np.flatnonzero(histogram[1:FLAT]) + 1
        assert len(one_side) == 2
        assert set((one_side - 1) // 8 + 1) == {5}  # three bits of the side, two of time
    grey_columns = np.repeat(face[:1], 64, axis=0)
    still_and_level = LbpTop(OPTIONS).features([grey_columns] * 3).reshape(3, 59)
    assert still_and_level[2, FLAT] == 1  # nothing changes in y or in t
    assert still_and_level[0] == pytest.approx(still_and_level[1])  # y and t are alike: both without change


def test_lbp_top_of_a_flickering_flat_recording() -> None:
    frames = [np.full((64, 64, 3), 40 + 50 * (k % 2), np.uint8) for k in range(4)]
    xy, xt, yt = LbpTop(OPTIONS).features(frames).reshape(3, 59)
    assert xy[FLAT] == 1
    assert xt == pytest.approx(yt)
    assert xt[FLAT] == 0.5  # a dark moment between bright ones
    assert xt[MIXED] == 0.5  # a bright one: only the two neighbours of the same moment reach it, four changes
