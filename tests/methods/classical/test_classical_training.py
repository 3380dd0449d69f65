"""Fitting and scoring over rows of a manifest: which frames are used, in which order, and how many are alive."""

import subprocess
import sys
import weakref
from collections.abc import Hashable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dgfas.core.config import validated
from dgfas.core.errors import UserError
from dgfas.methods.classical import training as training_module
from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions
from dgfas.methods.classical.color_texture import ColorTexture
from dgfas.methods.classical.ida import Ida
from dgfas.methods.classical.lbp_top import LbpTop
from dgfas.methods.classical.ms_lbp import MsLbp
from dgfas.methods.classical.training import evenly, fit_method, longest_run, samples_of, score_rows

OPTIONS = ClassicalOptions(penalty=(1.0,), gamma=(1.0,), samples_per_cell=1000)
FOLDER = Path(training_module.__file__).parent


def table(recordings: int = 4, frames: int = 5, domains: str = "CM", seed: int = 0) -> pd.DataFrame:
    """Rows of live and spoof recordings in a random order, with an index that is not their position."""
    rows = [
        {"domain": domain, "recording": f"r{number}", "frame": frame, "label": live, "species": species}
        for domain in domains
        for number in range(recordings)
        for live, species in [(1, "live") if number % 2 else (0, "print")]
        for frame in range(10, 10 + frames)
    ]
    frame_table = pd.DataFrame(rows).sample(frac=1, random_state=seed)
    frame_table.index = pd.Index([f"row{position}" for position in range(len(frame_table))])
    return frame_table


class Faces:
    """Makes a face on demand, live ones smoother, and counts how many are alive at once."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows
        self.asked: list[Hashable] = []
        self.alive = 0
        self.most_alive = 0

    def __call__(self, label: Hashable) -> np.ndarray:
        row = self.rows.loc[label]
        rng = np.random.default_rng([row["frame"], ord(row["domain"][0]), int(row["recording"][1:])])
        face = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        if row["label"] == 1:
            face = np.sort(face, axis=1)
        self.asked.append(label)
        self.alive += 1
        self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(face, self._gone)
        return face

    def _gone(self) -> None:
        self.alive -= 1


class Window(ClassicalMethod):
    """Describes a recording by the numbers of its frames, as written into the faces."""

    dimensions = 2
    needs_consecutive_frames = True
    least_frames = 2

    def features(self, faces: Iterable[np.ndarray]) -> np.ndarray:
        numbers = [float(face[0, 0, 0]) for face in faces]
        assert numbers == sorted(numbers)
        return np.array([numbers[0], numbers[-1]])


@pytest.mark.parametrize("method", [MsLbp, ColorTexture, Ida, LbpTop])
def test_fit_and_score_tell_smooth_from_noisy_faces(method: type[ClassicalMethod]) -> None:
    training, development, unseen = table(4, 3, "CM"), table(4, 3, "CM", seed=1), table(4, 3, "T", seed=2)
    fitted = method(OPTIONS)
    seen: list[tuple[int, int]] = []
    fit_method(fitted, Faces(training), training, development, progress=lambda done, total: seen.append((done, total)))
    n_samples = 16 if fitted.needs_consecutive_frames else 48
    assert seen == [(done, n_samples) for done in range(1, n_samples + 1)]
    score = score_rows(fitted, Faces(unseen), unseen)
    assert ((score >= 0.5) == (unseen["label"] == 1)).all()
    shuffled = unseen.sample(frac=1, random_state=3)
    assert score_rows(fitted, Faces(shuffled), shuffled) == pytest.approx(
        pd.Series(score, unseen.index)[shuffled.index].to_numpy()
    )
    unlabelled = unseen.assign(label=None)
    assert score_rows(fitted, Faces(unseen), unlabelled) == pytest.approx(score)


@pytest.mark.parametrize("method", [MsLbp, ColorTexture, Ida, LbpTop])
def test_no_face_is_kept(method: type[ClassicalMethod], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "SAMPLES_AT_ONCE", 3)
    training = table(4, 6, "C")
    faces = Faces(training)
    fitted = method(OPTIONS)
    fit_method(fitted, faces, training, training)
    score_rows(fitted, faces, training)
    assert len(faces.asked) == 3 * len(training)  # each face is read once a purpose
    assert faces.alive == 0
    assert faces.most_alive <= 2  # the one being described, and the next one as it arrives


def test_features_are_held_for_a_few_samples_only_while_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "SAMPLES_AT_ONCE", 4)
    rows = table(4, 5, "C")
    fitted = MsLbp(OPTIONS)
    fit_method(fitted, Faces(rows), rows, rows)
    sizes: list[int] = []
    score = fitted.score

    def counted(features: np.ndarray) -> np.ndarray:
        sizes.append(len(features))
        return score(features)

    monkeypatch.setattr(fitted, "score", counted)
    done: list[tuple[int, int]] = []
    score_rows(fitted, Faces(rows), rows, progress=lambda part, total: done.append((part, total)))
    assert sizes == [4] * 5
    assert done == [(4, 20), (8, 20), (12, 20), (16, 20), (20, 20)]


def test_frames_of_a_recording_come_in_temporal_order_and_share_its_score() -> None:
    rows = table(2, 4, "CM")
    asked: list[Hashable] = []

    def image_of(label: Hashable) -> np.ndarray:
        asked.append(label)
        row = rows.loc[label]
        return np.full((2, 2, 3), row["frame"] + 100 * row["label"], np.uint8)

    fitted = Window(OPTIONS)
    fit_method(fitted, image_of, rows, rows)
    asked.clear()
    score = pd.Series(score_rows(fitted, image_of, rows), rows.index)
    assert (score.groupby([rows["domain"], rows["recording"]]).nunique() == 1).all()
    read = rows.loc[asked, ["domain", "recording", "frame"]]
    assert read["frame"].tolist() == [10, 11, 12, 13] * 4
    assert read.groupby(["domain", "recording"]).ngroups == 4


@pytest.mark.parametrize(
    ("frames", "start", "stop"),
    [
        ([3], 0, 1),
        ([1, 2, 3], 0, 3),
        ([1, 3, 4, 5, 9, 10], 1, 4),
        ([1, 2, 5, 6], 0, 2),
        ([0, 2, 4], 0, 1),
        ([1, 1, 2], 1, 3),
    ],
)
def test_longest_run(frames: list[int], start: int, stop: int) -> None:
    assert longest_run(np.array(frames)) == slice(start, stop)


def test_a_gap_ends_a_window() -> None:
    rows = table(1, 9, "C")
    holed = rows[~rows["frame"].isin([12, 16])]  # 10 11 | 13 14 15 | 17 18
    (sample,) = samples_of(LbpTop(OPTIONS), holed)
    assert holed.iloc[sample.described]["frame"].tolist() == [13, 14, 15]
    assert sorted(sample.scored) == list(range(7))
    both = table(2, 9, "C")
    fitted = LbpTop(OPTIONS)
    fit_method(fitted, Faces(both), both, both)
    assert np.unique(score_rows(fitted, Faces(both), holed)).size == 1


@pytest.mark.parametrize("spacing", [2, 5])
def test_frames_that_are_not_consecutive_are_refused(spacing: int) -> None:
    rows = table(3, 6, "C")
    spaced = rows.assign(frame=rows["frame"] * spacing)
    with pytest.raises(UserError, match=r"recording 'r0' of domain 'C' has no 3 consecutive frames .*'frame'.* LbpTop"):
        fit_method(LbpTop(OPTIONS), Faces(rows), spaced, rows)
    with pytest.raises(UserError, match="consecutive"):
        score_rows(LbpTop(OPTIONS), Faces(rows), rows[rows["frame"] < 12])
    assert len(samples_of(MsLbp(OPTIONS), spaced)) == len(spaced)


def test_training_samples_are_drawn_evenly_from_every_cell() -> None:
    rows = table(4, 10, "CM")
    drawn = evenly(samples_of(MsLbp(OPTIONS), rows), rows, 5)
    chosen = rows.iloc[[sample.described[0] for sample in drawn]]
    assert (chosen.groupby(["domain", "label"]).size() == 5).all()
    live = chosen[(chosen["domain"] == "M") & (chosen["label"] == 1)].sort_values(["recording", "frame"])
    # 20 frames, r1 and r3: the middles of five parts of four
    assert list(zip(live["recording"], live["frame"], strict=True)) == [
        ("r1", 12),
        ("r1", 16),
        ("r3", 10),
        ("r3", 14),
        ("r3", 18),
    ]
    shuffled = rows.sample(frac=1, random_state=9)
    again = shuffled.iloc[[sample.described[0] for sample in evenly(samples_of(MsLbp(OPTIONS), shuffled), shuffled, 5)]]
    assert again.index.tolist() == chosen.index.tolist()
    assert len(evenly(samples_of(MsLbp(OPTIONS), rows), rows, 1000)) == len(rows)


def test_only_the_drawn_frames_are_read() -> None:
    rows = table(4, 10, "CM")
    faces = Faces(rows)
    fitted = MsLbp(OPTIONS.model_copy(update={"samples_per_cell": 2}))
    fit_method(fitted, faces, rows, rows)
    assert len(faces.asked) == 2 * 4 + len(rows)


def test_rows_without_a_label_are_refused() -> None:
    rows = table(2, 3, "C")
    unknown = rows.astype({"label": "Int64"})
    unknown.loc[rows.index[0], "label"] = pd.NA
    with pytest.raises(UserError, match=r"training data: recording 'r.' has no label"):
        fit_method(MsLbp(OPTIONS), Faces(rows), unknown, rows)


@pytest.mark.parametrize("name", ["ms_lbp", "color_texture", "ida", "lbp_top"])
def test_presets_are_valid(name: str) -> None:
    presets = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert validated(ClassicalOptions, presets["default"], name).samples_per_cell == 500


def test_nothing_needs_torch() -> None:
    names = ["training", "ms_lbp", "color_texture", "ida", "lbp_top"]
    imports = "".join(f"import dgfas.methods.classical.{name}\n" for name in names)
    code = f"import sys\n{imports}assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
