"""t-SNE drawn by domain and class, and how alike near frames are."""

import numpy as np
from matplotlib.colors import to_rgba

from dgfas.reporting.figures.drawing import canvas
from dgfas.reporting.figures.embedding import embed, likeness, scatter


def test_the_embedding_is_the_same_on_every_call_and_keeps_far_groups_apart() -> None:
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(size=(20, 8)), random.normal(size=(20, 8)) + 30])
    points = embed(features)
    np.testing.assert_array_equal(points, embed(features))
    assert points.shape == (40, 2)
    centres = points[:20].mean(axis=0), points[20:].mean(axis=0)
    nearer_to_first = np.linalg.norm(points - centres[0], axis=1) < np.linalg.norm(points - centres[1], axis=1)
    assert nearer_to_first.tolist() == [True] * 20 + [False] * 20


def test_likeness_by_plain_loops_over_other_persons() -> None:
    random = np.random.default_rng(1)
    features, person = random.normal(size=(24, 3)), np.arange(24) // 3
    label = np.where(random.random(24) < 0.3, "few", "many")
    shares: dict[str, list[float]] = {"few": [], "many": []}
    for i in range(24):
        others = [j for j in range(24) if person[j] != person[i]]
        nearest = sorted(others, key=lambda j: float(np.sum((features[i] - features[j]) ** 2)))[:5]
        shares[label[i]].append(sum(label[j] == label[i] for j in nearest) / 5)
    expected = (np.mean(shares["few"]) + np.mean(shares["many"])) / 2
    np.testing.assert_allclose(likeness(features, label, person), expected)


def test_likeness_does_not_count_frames_of_the_same_person() -> None:
    features = np.array([[0.0], [0.1], [9.0], [9.1]])  # each person's two frames lie together
    assert likeness(features, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])) == 0
    assert likeness(features, np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1])) == 1


def test_points_have_their_groups_colour_and_their_classs_marker() -> None:
    points = np.arange(12.0).reshape(6, 2)
    group = np.array(["desk", "hall", "desk", "hall", "desk", "desk"], dtype=object)
    live = np.array([True, True, False, False, True, False])
    colours = {"desk": "#0072B2", "hall": "#D55E00"}
    with canvas(3, 3) as figure:
        axes = figure.add_subplot()
        scatter(axes, points, group, live, colours)
    drawn = {}
    for collection in axes.collections:
        corners = len(collection.get_paths()[0].vertices) - 1  # the last closes the shape
        for point in collection.get_offsets():
            drawn[tuple(point)] = (to_rgba(collection.get_facecolor()[0])[:3], corners)
    assert len(drawn) == 6
    for point, name, is_live in zip(points, group, live, strict=True):
        assert drawn[tuple(point)] == (to_rgba(colours[name])[:3], 4 if is_live else 3)
