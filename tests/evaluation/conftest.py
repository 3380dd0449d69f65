"""Small hand-made scores for the tests of this room."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest

from dgfas.evaluation.scores import Scores

Row = tuple[str, str, str, str, float | None]  # domain, subject, recording, species, score
MakeScores = Callable[[Iterable[Row]], Scores]


@pytest.fixture
def make_scores() -> MakeScores:
    """Return a function that makes scores of (domain, subject, recording, species, score) rows, one a frame."""

    def make(rows: Iterable[Row]) -> Scores:
        table = pd.DataFrame(rows, columns=["domain", "subject", "recording", "species", "score"])
        table["score"] = table["score"].astype(float)
        table["label"] = (table["species"] == "live").astype(int)
        table["frame"] = table.groupby(["domain", "recording"]).cumcount()
        return Scores(table, "memory")

    return make


@pytest.fixture
def random_scores(make_scores: MakeScores) -> Callable[..., Scores]:
    """Return a function that draws scores of some domains; `separation` 0 is chance."""

    def draw(domains: Iterable[str], separation: float, seed: int, persons: int = 6) -> Scores:
        random = np.random.default_rng(seed)
        rows: list[Row] = []
        for domain in domains:
            for person in range(persons):
                for species in ("live", "print", "replay"):
                    recording = f"p{person}_{species}"
                    centre = 0.5 + separation * (0.5 if species == "live" else -0.5)
                    values = np.clip(random.normal(centre, 0.2, size=4), 0, 1)
                    rows += [(domain, f"p{person}", recording, species, float(value)) for value in values]
        return make_scores(rows)

    return draw
