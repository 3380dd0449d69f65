"""Small made-up frames and statistics with known domains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy import ndarray

from dgfas.domains.provider import FrameTable
from dgfas.domains.style import Style


@pytest.fixture
def true_domain() -> ndarray:
    """Three domains of thirty frames."""
    return np.repeat([0, 1, 2], 30)


@pytest.fixture
def live() -> ndarray:
    """Every other frame is live."""
    return np.arange(90) % 2 == 0


@pytest.fixture
def make_frames(live: ndarray, true_domain: ndarray) -> Callable[..., FrameTable]:
    """Return a maker of the frames' table; image features separate the true domains unless others are given."""

    def make(image_features: Style | None = None, given: ndarray | None = true_domain) -> FrameTable:
        rng = np.random.default_rng(7)
        if image_features is None:
            image_features = Style(
                true_domain[:, None] + rng.normal(0, 0.01, (90, 4)), (("colour/mean", 4),), ("image features: made up",)
            )
        return FrameTable(live, given, lambda weights: image_features)

    return make
