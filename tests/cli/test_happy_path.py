"""From simulated data to a decision on a photo, by the command line alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import dgfas, succeed, train
from PIL import Image
from skimage import data


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_measured_on_its_target(run: Path, copy: Callable[[Path], Path]) -> None:
    own = copy(run)
    answer = succeed("evaluate", own)
    for word in ("deployable", "oracle", "HTER", "APCER", "print", "replay", "result.json"):
        assert word in answer.out
    report = own.parent / "report.html"
    assert succeed("report", own, "--out", report, "--no-figures").out == f"written: {report}\n"
    assert "desk&amp;webcam&amp;laptop to phone" in report.read_text()


def test_scores_are_measured_without_a_run(run: Path, copy: Callable[[Path], Path], tmp_path: Path) -> None:
    own = copy(run)
    succeed("evaluate", own)
    scores, development = own / "evaluation/phone/scores-0000002.csv", own / "development/0000002.csv"
    answer = succeed("evaluate", "--scores", scores, "--development", development, "--out", tmp_path / "results")
    assert "deployable" in answer.out
    assert (tmp_path / "results" / "result.json").is_file()
    assert "oracle" in succeed("evaluate", "--scores", scores, "--threshold", "fixed=0.5").out
    assert (scores.with_suffix("") / "result.json").is_file()


def test_a_finished_run_is_resumed_to_nothing(run: Path, copy: Callable[[Path], Path]) -> None:
    own = copy(run)
    before = contents(own)
    answer = succeed("train", "--resume", own)
    assert "finished already" in answer.err
    assert contents(own) == before


def test_the_rules_of_the_command_come_back_when_a_run_is_resumed(simulated: Path, tmp_path: Path) -> None:
    """A run that was stopped before its end fixes its threshold by the rule that it was started with."""
    folder = tmp_path / "run"
    rules = ["--threshold", "fixed=0.25", "--select", "last"]
    assert "checkpoint 2 by last; threshold 0.2500" in train(folder, simulated, *rules).out
    (folder / "operating_point.json").unlink()
    assert "checkpoint 2 by last; threshold 0.2500" in succeed("train", "--resume", folder).out
    assert '"rule": "fixed value"' in (folder / "operating_point.json").read_text()


def test_names_in_any_script_and_long_ones_work(simulated: Path, copy: Callable[[Path], Path], tmp_path: Path) -> None:
    deep = tmp_path / "Gesichter – 顔 und Masken 🎭" / ("a long name " * 15).strip() / ("b" * 200)
    deep.mkdir(parents=True)
    root = copy(simulated).rename(deep / "données")
    assert train(deep / "run", root).code == 0
    assert succeed("evaluate", deep / "run").out
    assert succeed("train", "--resume", deep / "run").code == 0


def test_a_photo_is_scored_and_noise_has_no_face(run: Path, models: None, tmp_path: Path) -> None:
    photo, noise = tmp_path / "astronaut.png", tmp_path / "noise.png"
    Image.fromarray(data.astronaut()).save(photo)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)).save(noise)
    answer = succeed("score", photo, noise, "--model", run)
    first, _, second, _ = answer.out.splitlines()
    assert first.startswith(f"{photo}: live  score 0.") or first.startswith(f"{photo}: spoof  score 0.")
    assert first.endswith("(1 of 1 frames)")
    assert second == f"{noise}: no face  score -  (0 of 1 frames)"


@pytest.mark.slow
def test_a_run_is_exported_and_the_file_answers_as_the_run(run: Path, models: None, tmp_path: Path) -> None:
    photo, model = tmp_path / "astronaut.png", tmp_path / "models" / "model.onnx"
    Image.fromarray(data.astronaut()).save(photo)
    answer = succeed("export", run, "--out", model)
    assert answer.out.startswith(f"{model}: rfm, float32, ")
    assert "frames score within " in answer.out
    by_file, by_run = (succeed("score", photo, "--model", each).out for each in (model, run))
    assert by_file == by_run
    assert "(1 of 1 frames)" in by_file
    model.write_bytes(model.read_bytes()[:-1])
    assert "or is truncated" in dgfas("score", photo, "--model", model).mistake


@pytest.mark.parametrize("lists", ["official", "everything"])
def test_other_lists_of_recordings(simulated: Path, tmp_path: Path, lists: str) -> None:
    options = ["--set", f"data.lists={lists}", "--set", "data.frames_per_recording=1", "--method", "binary_cnn"]
    assert train(tmp_path / "run", simulated, *options, iterations=1).code == 0
    assert "HTER" in succeed("evaluate", tmp_path / "run").out


def test_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    answer = dgfas("doctor")
    assert answer.code == 2
    assert answer.out.count("run `dgfas doctor --fetch-models`") == 2
    assert "torch: " in answer.out


def test_a_set_value_wins_over_the_other_options(simulated: Path, tmp_path: Path) -> None:
    options = ["--method", "binary_cnn", "--seed", 3, "--set", "training.seed=4"]
    assert train(tmp_path / "run", simulated, *options, iterations=1).code == 0
    assert "  seed: 4\n" in (tmp_path / "run" / "config.yaml").read_text()
