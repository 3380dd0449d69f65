"""What the record shows of a clustering."""

from __future__ import annotations

import logging
import math
from collections import Counter

import numpy as np
import pytest

from dgfas.core.collapse import CollapseWatch
from dgfas.domains.diagnostics import agreement, describe, discrepancy, empty_cells, notes_on_cells, warn_of_collapse


def entropy(labels: list[int]) -> float:
    return -sum(c / len(labels) * math.log(c / len(labels)) for c in Counter(labels).values())


@pytest.mark.parametrize("average", ["geometric", "arithmetic"])
def test_agreement_is_the_normalised_mutual_information(average: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 60), rng.integers(0, 4, 60)
    information = 0.0
    for (i, j), count in Counter(zip(a.tolist(), b.tolist(), strict=True)).items():
        joint = count / 60
        information += joint * math.log(joint / ((a == i).mean() * (b == j).mean()))
    ours, theirs = entropy(a.tolist()), entropy(b.tolist())
    norm = math.sqrt(ours * theirs) if average == "geometric" else (ours + theirs) / 2
    assert agreement(a, b, average) == pytest.approx(information / norm)


def test_the_description_has_sizes_cells_and_agreements() -> None:
    domain = np.array([0, 0, 0, 1, 1, 3])
    live = np.array([True, True, False, True, False, True])
    given = np.array([0, 0, 1, 1, 1, 1])
    previous = np.array([0, 1, 0, 1, 1, 1])
    log = describe(domain, 4, live, given, previous)
    assert [log[f"size_{k}"] for k in range(4)] == [3, 2, 0, 1]
    assert log["empty_cells"] == 3
    assert empty_cells(domain, 4, live) == [(2, "live"), (2, "spoof"), (3, "spoof")]
    assert log["nmi_class"] == agreement(domain, live, "geometric")
    assert log["nmi_given"] == agreement(domain, given, "geometric")
    assert log["nmi_previous"] == agreement(domain, previous, "arithmetic")
    assert log["nmi_given"] != pytest.approx(agreement(domain, given, "arithmetic"))
    assert log["nmi_previous"] != pytest.approx(agreement(domain, previous, "geometric"))
    assert "domain 3 has no spoof frame; batches draw its spoof frames from all domains" in notes_on_cells(
        domain, 4, live
    )
    assert not {"nmi_given", "nmi_previous"} & describe(domain, 4, live, None, None).keys()


def test_discrepancy_by_loops() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(9, 2))
    domain = np.repeat([0, 1, 2], 3)

    def squared(i: int, j: int) -> float:
        return float(sum((features[i] - features[j]) ** 2))

    scale = sum(squared(i, j) for i in range(9) for j in range(9)) / 72

    def kernel(i: int, j: int) -> float:
        return sum(math.exp(-squared(i, j) / (scale * h)) for h in (0.25, 0.5, 1, 2, 4))

    def mean(a: int, b: int) -> float:
        return sum(kernel(i, j) for i in range(9) for j in range(9) if domain[i] == a and domain[j] == b) / 9

    pairs = [mean(a, a) + mean(b, b) - 2 * mean(a, b) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert discrepancy(features, domain, rng) == pytest.approx(sum(pairs) / 3)


def test_discrepancy_grows_with_the_distance_and_is_0_for_one_domain() -> None:
    rng = np.random.default_rng(0)
    features, domain = rng.normal(size=(400, 3)), np.repeat([0, 1], 200)
    near = discrepancy(features, domain, rng)
    far = discrepancy(features + 2 * domain[:, None], domain, rng)
    assert far > 10 * near
    assert discrepancy(features, np.zeros(400, dtype=int), rng) == 0


def test_a_collapse_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = CollapseWatch()
    collapsed = {"size_0": 999.0, "size_1": 1.0, "class_given_away": 0.95}
    with caplog.at_level(logging.WARNING, logger="dgfas"):
        warn_of_collapse(watch, {"size_0": 500.0, "size_1": 500.0, "class_given_away": 0.1}, 2)
        assert caplog.records == []
        for _ in range(3):
            warn_of_collapse(watch, collapsed, 2)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "1 of 1000 frames" in messages[0]
    assert "divide live from spoof (95%" in messages[1]


def test_domains_of_one_class_each_give_the_class_away() -> None:
    live = np.array([True] * 6 + [False] * 6)
    parts = np.repeat([0, 1, 2, 3], 3)
    log = describe(parts, 4, live, None, None)
    assert log["class_given_away"] == pytest.approx(1)
    assert log["nmi_class"] == pytest.approx(math.sqrt(0.5))
    assert describe(np.arange(12) % 3, 3, live, None, None)["class_given_away"] == pytest.approx(0, abs=1e-9)
