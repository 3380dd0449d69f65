"""The 121 numbers of IDA, against plain loops and closed cases."""

import colorsys
import itertools
import math

import numpy as np
import pytest

from dgfas.methods.classical.base import ClassicalOptions, Examples
from dgfas.methods.classical.ida import (
    Ida,
    blurriness,
    chromatic_moments,
    colour_diversity,
    edge_width,
    specular_reflection,
)

OPTIONS = ClassicalOptions(penalty=(1.0,), gamma=(1.0,), samples_per_cell=10)


def noise(seed: int, side: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_layout() -> None:
    face = noise(0, 144)
    vector = Ida(OPTIONS).features([face])
    assert vector[:3] == pytest.approx(specular_reflection(face))
    assert vector[5:20] == pytest.approx(chromatic_moments(face))
    assert vector[20:] == pytest.approx(colour_diversity(face))


def test_a_flat_face() -> None:
    vector = Ida(OPTIONS).features([np.full((50, 50, 3), 128, np.uint8)])
    expected = np.zeros(121)
    expected[3:5] = 1  # no edges: as blurred as can be
    expected[[5 + 3, 10 + 3]] = 1  # hue and saturation are 0: all in the lowest bin
    expected[15] = 128 / 255  # mean of V
    expected[20] = 1  # one colour
    expected[120] = 1
    assert vector == pytest.approx(expected, abs=1e-6)


def test_specular_reflection_by_plain_loops() -> None:
    rgb = noise(1)
    smallest = [min(int(value) for value in pixel) for row in rgb for pixel in row]
    mean = sum(smallest) / 400
    deviation = math.sqrt(sum((value - mean) ** 2 for value in smallest) / 400)
    seen = [(value - mean - 0.5 * deviation) / 255 for value in smallest if value > mean + 0.5 * deviation]
    centre = sum(seen) / len(seen)
    spread = math.sqrt(sum((value - centre) ** 2 for value in seen) / len(seen))
    assert specular_reflection(rgb) == pytest.approx([len(seen) / 400, centre, spread])


def test_a_white_highlight_is_specular_and_a_coloured_one_is_not() -> None:
    skin = np.full((20, 20, 3), (150, 100, 80), np.uint8)
    glossy, painted = skin.copy(), skin.copy()
    glossy[:4, :5] = (230, 180, 160)  # white light added: 80 to each channel
    painted[:4, :5] = (250, 100, 80)
    assert specular_reflection(glossy)[0] == 20 / 400
    assert specular_reflection(glossy)[2] == pytest.approx(0)
    assert specular_reflection(painted).tolist() == [0, 0, 0]


def test_edge_width_by_plain_loops() -> None:
    grey = np.random.default_rng(2).integers(0, 80, (15, 17), dtype=np.uint8)
    widths = []
    for row in grey.astype(int).tolist():
        steps = [right - left for left, right in itertools.pairwise(row)]
        for _, run in itertools.groupby(steps, key=lambda step: (step > 0) - (step < 0)):
            climbs = list(run)
            if abs(sum(climbs)) >= 26:
                widths.append(len(climbs))
    assert len(widths) > 50
    assert edge_width(grey) == pytest.approx(sum(widths) / len(widths) / 16)


def test_edge_width_of_ramps() -> None:
    row = np.array([10] * 5 + [20, 30, 40, 50] + [50] * 8, np.uint8)  # climbs 40 in four steps
    assert edge_width(np.tile(row, (6, 1))) == 4 / 16
    assert edge_width(np.tile(row[::-1], (6, 1)).copy()) == 4 / 16
    assert edge_width(np.tile(row // 2, (6, 1))) == 1  # climbs 20: not an edge
    assert edge_width(np.tile(np.arange(17, dtype=np.uint8) * 5, (3, 1))) == 1  # one ramp over the whole width
    assert edge_width(np.tile(row, (6, 1)).T.copy()) == 1  # edges are looked for along rows


def test_blurred_images_measure_more_blurred() -> None:
    sharp = np.random.default_rng(3).integers(0, 256, (144, 144)).astype(np.uint8)
    kernel = np.ones(5) / 5
    smooth = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), 1, sharp)
    smooth = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), 0, smooth).astype(np.uint8)
    assert (blurriness(smooth) > blurriness(sharp)).all()


def test_chromatic_moments_by_plain_loops() -> None:
    rgb = noise(4)
    rgb[:3] = 0  # so that the lowest bins are not empty
    pixels = [colorsys.rgb_to_hsv(*(int(value) / 255 for value in pixel)) for row in rgb for pixel in row]
    expected: list[float] = []
    for channel in range(3):
        values = [pixel[channel] for pixel in pixels]
        mean = sum(values) / 400
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 400)
        skewness = sum((value - mean) ** 3 for value in values) / 400 / deviation**3
        lowest = sum(value < 1 / 32 for value in values) / 400
        highest = sum(value >= 31 / 32 for value in values) / 400
        expected += [mean, deviation, skewness, lowest, highest]
    assert chromatic_moments(rgb) == pytest.approx(expected, abs=1e-5)


def test_colour_diversity_by_plain_loops() -> None:
    rgb = noise(5)
    rgb[:5] = (255, 0, 7)
    rgb[5:7] = (248, 5, 0)  # the same colour of 32 levels a channel
    counts: dict[tuple[int, ...], int] = {}
    for pixel in rgb.reshape(-1, 3).tolist():
        colour = tuple(value // 8 for value in pixel)
        counts[colour] = counts.get(colour, 0) + 1
    assert counts[(31, 0, 0)] == 140
    falling = sorted(counts.values(), reverse=True)
    diversity = colour_diversity(rgb)
    assert diversity[:100] == pytest.approx([count / 400 for count in falling[:100]])
    assert diversity[100] == len(counts)


def test_one_part_of_the_training_data_a_species() -> None:
    species = np.array(["live", "print/a4", "replay", "print", "live", "replay/phone"])
    training = Examples(np.arange(6.0)[:, None], species == "live", np.array(["C"] * 6), species)
    of_print, of_replay = Ida(OPTIONS).parts(training)
    assert of_print.features.ravel().tolist() == [0, 1, 3, 4]
    assert of_replay.features.ravel().tolist() == [0, 2, 4, 5]
