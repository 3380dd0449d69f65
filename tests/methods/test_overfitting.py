"""Every learned method learns sixteen simulated faces by heart."""

from typing import Any

import numpy as np
import pytest
import torch
from method_checks import SIDE, build, step, training_scores
from torch import Tensor

from dgfas.core.label import Label
from dgfas.data.batches import Batch, BatchLoader
from dgfas.data.frames import pack
from dgfas.methods.base import Method
from dgfas.methods.registry import method_names
from dgfas.simulation.data_set import simulate

pytestmark = pytest.mark.slow

DOMAINS = ["desk", "phone"]
ITERATIONS = 100  # at the most


@pytest.fixture(scope="module")
def sixteen_faces(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Four people in each of two domains, each once live and once as an attack."""
    root = tmp_path_factory.mktemp("sixteen")
    manifest = simulate(
        root, domains=DOMAINS, subjects=4, live_recordings=1, spoof_recordings=1, frames=1, image_size=64, workers=1
    )
    live = (manifest.frames["label"] == Label.LIVE).to_numpy(dtype=bool)
    domain = manifest.frames["domain"].map(DOMAINS.index).to_numpy()
    rows = np.lexsort((~live, domain))
    position = np.stack([np.zeros(len(live), dtype=int), np.arange(len(live))], axis=1)
    loader = BatchLoader([pack(manifest, SIDE)], position, live, torch.device("cpu"))
    return loader.batch(rows, domain, len(DOMAINS), np.zeros(len(live), dtype=bool))


CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in method_names()),
    ("anrl", {"preset": "released"}),
    ("ssdg", {"preset": "released", "learning_rate": 1e-2}),
]


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_sixteen_simulated_faces_are_learnt_by_heart(name: str, changes: dict[str, Any], sixteen_faces: Batch) -> None:
    method = build(name, n_domains=2, iterations=ITERATIONS, **changes)
    assert len(sixteen_faces.live) == 16
    assert not knows(method, sixteen_faces)
    for iteration in range(ITERATIONS):
        step(method, sixteen_faces, iteration)
        if iteration % 5 == 4 and knows(method, sixteen_faces):
            return
    raise AssertionError(f"{name} has not learnt sixteen faces in {ITERATIONS} iterations")


def test_each_source_classifier_of_metareg_learns_its_own_faces_by_heart(sixteen_faces: Batch) -> None:
    """While phi is learnt the score is the mean of these, each of which knows nothing of the other source."""
    method = build("metareg", n_domains=2, iterations=ITERATIONS, learn_share=1.0)
    for iteration in range(ITERATIONS):
        step(method, sixteen_faces, iteration)
    for classifier, part in zip(method.source_classifiers, sixteen_faces.by_domain(), strict=True):
        with torch.no_grad():
            score = torch.sigmoid(classifier(method.encoder(part.images).last))
        assert divides(score[part.live == 1], score[part.live == 0], 0.5)


def knows(method: Method, batch: Batch) -> bool:
    """Whether every live score is above every spoof score, and 0.5 between them where scores are probabilities."""
    live, spoof = training_scores(method, batch)
    return divides(live, spoof, 0.5 if method.score_is_probability else spoof.max().item())


def divides(live: Tensor, spoof: Tensor, threshold: float) -> bool:
    """Whether every live score is above the threshold and no spoof score is."""
    return live.min().item() > threshold >= spoof.max().item()
