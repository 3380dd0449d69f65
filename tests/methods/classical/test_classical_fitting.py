"""SVM, calibration and their state: equal to scikit-learn's, to plain loops, and after saving."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC

from dgfas.core.errors import UserError
from dgfas.evaluation.calibration import calibration_error, fit_calibration
from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions, Examples
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


def test_fit_takes_the_pair_that_is_best_on_development_data() -> None:
    training, development = examples(4), examples(5)
    method = TwoNumbers(OPTIONS)
    method.fit(training, development)
    losses = {}
    for penalty in OPTIONS.penalty:
        for gamma in OPTIONS.gamma:
            machine = RbfSvm.fit(training.features, training.live, training.weight, penalty, gamma)
            margin = machine.margin(development.features)
            about = margin, development.live, development.domain
            losses[penalty, gamma] = calibration_error(fit_calibration(*about), *about)
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
    expected = method.calibration.apply(np.minimum(*margins))
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
