"""SVM, calibration and their state: equal to scikit-learn's, to plain loops, and after saving."""

import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC

from dgfas.core.errors import UserError
from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions, Examples
from dgfas.methods.classical.calibration import Calibration, cell_weights, fit_calibration
from dgfas.methods.classical.ida import Ida
from dgfas.methods.classical.ms_lbp import MsLbp
from dgfas.methods.classical.svm import RbfSvm

OPTIONS = ClassicalOptions(penalty=(1.0, 10.0), gamma=(0.3, 1.0), samples_per_cell=10)


class TwoNumbers(ClassicalMethod):
    """Describes a face by its mean red and its mean green."""

    dimensions = 2

    def features(self, faces: Iterable[np.ndarray]) -> np.ndarray:
        (face,) = faces
        mean: np.ndarray = face.mean(axis=(0, 1))[:2]
        return mean


def examples(seed: int, n: int = 120, gap: float = 1.0, dimensions: int = 2) -> Examples:
    """Live rows around +gap/2 and spoof rows around -gap/2, in two domains and two species."""
    rng = np.random.default_rng(seed)
    live = np.arange(n) % 2 == 0
    features = rng.normal(np.where(live, gap / 2, -gap / 2)[:, None], 1, (n, dimensions))
    species = np.where(live, "live", np.where(np.arange(n) % 4 == 1, "print", "replay"))
    return Examples(features, live, np.where(np.arange(n) < n // 3, "C", "M"), species)


def test_margin_equals_scikit_learn() -> None:
    training, other = examples(0, dimensions=5), examples(1, n=1100, dimensions=5)
    weight = training.weight
    ours = RbfSvm.fit(training.features, training.live, weight, c=3.0, gamma_times_dimensions=0.7)
    mean, deviation = training.features.mean(axis=0), training.features.std(axis=0)
    theirs = SVC(C=3.0, gamma=0.7 / 5).fit((training.features - mean) / deviation, training.live, sample_weight=weight)
    assert ours.margin(other.features) == pytest.approx(theirs.decision_function((other.features - mean) / deviation))
    again = RbfSvm.from_state(ours.state())
    assert (again.margin(other.features) == ours.margin(other.features)).all()
    assert ours.margin(other.features[:0]).shape == (0,)


def test_a_constant_dimension_does_no_harm() -> None:
    training = examples(0)
    padded = np.hstack([training.features, np.full((120, 2), 0.1)])
    machine = RbfSvm.fit(padded, training.live, training.weight, c=1.0, gamma_times_dimensions=2.0)
    plain = RbfSvm.fit(training.features, training.live, training.weight, c=1.0, gamma_times_dimensions=1.0)
    assert machine.margin(padded) == pytest.approx(plain.margin(training.features))


def test_cells_weigh_alike() -> None:
    live = np.array([True] * 7 + [False] * 5)
    domain = np.array(["C"] * 4 + ["M"] * 2 + ["I"] + ["C"] * 2 + ["O"] * 3)
    weight = cell_weights(live, domain)
    assert weight.mean() == pytest.approx(1)
    totals = [
        [weight[(live == label) & (domain == name)].sum() for name in ("C", "M", "I", "O")] for label in (True, False)
    ]
    assert totals[0] == pytest.approx([2, 2, 2, 0])  # half of twelve, shared by three domains
    assert totals[1] == pytest.approx([3, 0, 0, 3])  # the other half, by two


def loss_by_loops(slope: float, offset: float, margin: np.ndarray, live: np.ndarray, weight: np.ndarray) -> float:
    n_live, n_spoof = int(live.sum()), int((~live).sum())
    total = 0.0
    for m, is_live, w in zip(margin, live, weight, strict=True):
        target = (n_live + 1) / (n_live + 2) if is_live else 1 / (n_spoof + 2)
        probability = 1 / (1 + math.exp(-(slope * m + offset)))
        total -= w * (target * math.log(probability) + (1 - target) * math.log(1 - probability))
    return total / weight.sum()


def test_calibration_is_the_minimum_of_the_weighted_cross_entropy() -> None:
    data = examples(2, n=60)
    margin, weight = data.features[:, 0] * 3 + 1, data.weight
    found, loss = fit_calibration(margin, data.live, weight)
    assert loss == pytest.approx(loss_by_loops(found.slope, found.offset, margin, data.live, weight))
    for slope, offset in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert loss_by_loops(found.slope + slope, found.offset + offset, margin, data.live, weight) > loss


def test_calibration_undoes_a_shift_and_a_scale_of_the_margins() -> None:
    data = examples(3)
    plain, _ = fit_calibration(data.features[:, 0], data.live, data.weight)
    changed, _ = fit_calibration(data.features[:, 0] * 7 - 4, data.live, data.weight)
    probability = plain.probability(data.features[:, 0])
    assert changed.probability(data.features[:, 0] * 7 - 4) == pytest.approx(probability, abs=1e-3)


def test_calibration_of_separable_and_of_reversed_margins() -> None:
    live = np.array([True, True, False, False])
    weight = np.ones(4)
    separable, _ = fit_calibration(np.array([2.0, 1.0, -1.0, -2.0]), live, weight)
    assert np.isfinite([separable.slope, separable.offset]).all()
    reversed_, _ = fit_calibration(np.array([-2.0, -1.0, 1.0, 2.0]), live, weight)
    assert reversed_.slope > 0  # the order of the margins is never turned over
    assert (np.diff(reversed_.probability(np.array([-1.0, 0.0, 1.0]))) > 0).all()
    assert Calibration(2.0, -1.0).probability(np.array([0.5]))[0] == 0.5


def test_fit_takes_the_pair_that_is_best_on_development_data() -> None:
    training, development = examples(4), examples(5)
    method = TwoNumbers(OPTIONS)
    method.fit(training, development)
    losses = {}
    for penalty in OPTIONS.penalty:
        for gamma in OPTIONS.gamma:
            machine = RbfSvm.fit(training.features, training.live, training.weight, penalty, gamma)
            margin = machine.margin(development.features)
            losses[penalty, gamma] = fit_calibration(margin, development.live, development.weight)[1]
    assert len(set(losses.values())) == 4
    assert (method.chosen["penalty"], method.chosen["gamma"]) == min(losses, key=lambda pair: losses[pair])
    assert method.chosen["development_cross_entropy"] == min(losses.values())


def test_scores_are_probabilities_and_calibrated_on_development_data() -> None:
    method = TwoNumbers(OPTIONS)
    method.fit(examples(6, n=400, gap=3), examples(7, n=400, gap=3))
    development = examples(7, n=400, gap=3)
    score = method.score(development.features)
    assert ((score > 0) & (score < 1)).all()
    weight = development.weight / development.weight.sum()
    assert weight @ score == pytest.approx(0.5, abs=0.01)  # as many expected live as there are, cells weighing alike
    assert ((score >= 0.5) == development.live).mean() > 0.9


def test_fitting_twice_gives_the_same_numbers() -> None:
    states = []
    for _ in range(2):
        method = TwoNumbers(OPTIONS)
        method.fit(examples(8), examples(9))
        states.append(method.state())
    assert states[0].keys() == states[1].keys()
    assert all((states[0][name] == states[1][name]).all() for name in states[0])


def test_the_ensemble_takes_the_smallest_margin() -> None:
    training, development = examples(10, dimensions=121), examples(11, dimensions=121)
    method = Ida(ClassicalOptions(penalty=(1.0,), gamma=(1.0,), samples_per_cell=10))
    method.fit(training, development)
    margins = []
    for species in ("print", "replay"):
        part = training[training.live | (training.species == species)]
        margins.append(RbfSvm.fit(part.features, part.live, part.weight, 1.0, 1.0).margin(development.features))
    assert len(method.machines) == 2
    expected = method.calibration.probability(np.minimum(*margins))
    assert method.score(development.features) == pytest.approx(expected)


@pytest.mark.parametrize(("method", "dimensions"), [(TwoNumbers, 2), (Ida, 121)])
def test_saved_and_loaded_scores_are_equal(method: type[ClassicalMethod], dimensions: int, tmp_path: Path) -> None:
    fitted = method(OPTIONS)
    fitted.fit(examples(12, dimensions=dimensions), examples(13, dimensions=dimensions))
    path = tmp_path / "fitted.npz"
    fitted.save(path)
    loaded = method.load(path)
    other = examples(14, dimensions=dimensions)
    assert (loaded.score(other.features) == fitted.score(other.features)).all()
    assert loaded.chosen == fitted.chosen
    assert loaded.options == fitted.options
    with np.load(path, allow_pickle=False) as archive:
        assert json.loads(str(archive["header"]))["method"] == method.__name__
        assert all(archive[name].dtype == np.float64 for name in archive.files if name.startswith("machine0"))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fitted.npz"
    fitted = TwoNumbers(OPTIONS)
    fitted.fit(examples(12), examples(13))
    fitted.save(path)
    with pytest.raises(UserError, match="holds a fitted TwoNumbers, not MsLbp"):
        MsLbp.load(path)
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"fitted\.npz: is not a fitted TwoNumbers"):
            TwoNumbers.load(path)
    state = fitted.state()
    del state["machine0.dual"]
    np.savez(path, header=np.array(json.dumps({"method": "TwoNumbers", "options": OPTIONS.model_dump()})), **state)
    with pytest.raises(UserError, match="dual"):
        TwoNumbers.load(path)
    with pytest.raises(UserError, match="missing"):
        TwoNumbers.load(tmp_path / "missing.npz")


def test_missing_classes_and_missing_fit_are_refused() -> None:
    both = examples(15)
    with pytest.raises(UserError, match="training data hold no spoof frame"):
        TwoNumbers(OPTIONS).fit(both[both.live], both)
    with pytest.raises(UserError, match="development data hold no live frame"):
        TwoNumbers(OPTIONS).fit(both, both[~both.live])
    with pytest.raises(ValueError, match="has not been fitted"):
        TwoNumbers(OPTIONS).score(both.features)
