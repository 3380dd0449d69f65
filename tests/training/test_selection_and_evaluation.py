"""From a finished run to both tracks, and that nothing leaks from the target into the deployable one."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dgfas.core.errors import UserError
from dgfas.core.files import write_json
from dgfas.core.manifest import PREPARED_NAME, SIMULATED_NAME, Manifest, write_manifest
from dgfas.core.progress import Silent
from dgfas.evaluation.scores_file import read_scores
from dgfas.evaluation.tasks import parse_task
from dgfas.faces.options import PrepareOptions
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.evaluate import evaluate_run
from dgfas.training.loop import train
from dgfas.training.record import start_record
from dgfas.training.run import resume, start
from dgfas.training.selection import freeze_operating_point, read_operating_point
from dgfas.training.task_data import evenly_spaced, load_task
from dgfas.training.trained import TrainedModel

RULES = {"selection": "source_validation", "threshold": "eer"}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["binary_cnn", "auxiliary_depth"])
def test_both_tracks_of_a_run(tiny, tmp_path: Path, method: str) -> None:
    run = train(tiny(method), tmp_path / "run")
    step, thresholds = freeze_operating_point(run, **RULES)
    evaluation = evaluate_run(run, None, **RULES)
    results = {(result.track, result.level): result for result in evaluation.results}
    assert results["deployable", "frame"].checkpoint == step
    assert results["deployable", "frame"].measurement.threshold == thresholds["frame"]
    assert results["oracle", "frame"].candidates == 10
    assert "target" in results["oracle", "frame"].measurement.threshold.data
    assert "source" in results["deployable", "frame"].measurement.threshold.data
    scores = read_scores(run / "evaluation" / "phone" / f"scores-{step:07d}.csv")
    assert set(scores.rows["domain"]) == {"phone"}
    assert scores.rows["score"].between(0, 1).all()
    weights = (run / "checkpoints" / f"{step:07d}.safetensors").read_bytes()
    assert evaluation.about["weights"][str(step)] == hashlib.sha256(weights).hexdigest()
    (record,) = evaluation.about["data_sets"].values()
    assert (record["made_by"], record["subjects"], record["seed"]) == ("simulation", 5, 0)
    assert "attacks: " in record["phone"]


@pytest.mark.slow
def test_noise_in_the_targets_labels_changes_neither_checkpoint_nor_threshold(tiny, tmp_path: Path) -> None:
    """The whole pipeline, twice: the second time every label of the target domain is a coin's."""
    config = tiny("binary_cnn")
    true = Manifest.read(config.data.roots[0])
    noisy_root = tmp_path / "noisy"
    noisy_root.mkdir()
    (noisy_root / "faces").symlink_to(true.root / "faces")
    frames = true.frames.copy()
    target = frames["domain"] == "phone"
    recordings = frames.loc[target, "recording"]
    coin = dict(zip(recordings.unique(), np.random.default_rng(0).integers(0, 2, recordings.nunique()), strict=True))
    coins = recordings.map(coin).to_numpy()
    assert (coins != frames.loc[target, "label"]).any()
    frames.loc[target, "label"] = coins
    frames.loc[target, "species"] = np.where(coins == 1, "live", "print")
    write_manifest(noisy_root, frames, true.rejected)
    answers = []
    for root in (true.root, noisy_root):
        data = config.data.model_copy(update={"roots": (root,)})
        run = train(config.model_copy(update={"data": data}), tmp_path / f"run-{root.name}")
        freeze_operating_point(run, **RULES)
        result = next(r for r in evaluate_run(run, None, **RULES).results if r.track == "deployable")
        answers.append((read_operating_point(run), result.checkpoint, result.measurement.threshold))
    assert answers[0] == answers[1]


def test_an_unfinished_run_has_no_operating_point(tiny, tmp_path: Path) -> None:
    for use in (read_operating_point, lambda run: evaluate_run(run, "phone", **RULES)):
        with pytest.raises(UserError, match="is not the folder of a run"):
            use(tmp_path)
    start_record(tmp_path, tiny(), {})
    with pytest.raises(UserError, match="has no checkpoint yet"):
        freeze_operating_point(tmp_path, **RULES)
    for use in (read_operating_point, lambda run: evaluate_run(run, "phone", **RULES)):
        with pytest.raises(UserError, match="has no operating point yet; finish it with `dgfas train --resume"):
            use(tmp_path)


def test_rejected_recordings_of_the_target_are_non_responses(tiny, tmp_path: Path) -> None:
    config = tiny("binary_cnn", iterations=1)
    run = train(config, tmp_path / "run")
    true = Manifest.read(config.data.roots[0])
    lost = true.frames[(true.frames["domain"] == "phone") & (true.frames["split"] == "test")]["recording"].iloc[0]
    rows = true.frames[true.frames["recording"] == lost].iloc[:1]
    rejected = rows.assign(source="lost.mp4", reason="no face found")
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "faces").symlink_to(true.root / "faces")
    write_manifest(moved, true.frames[true.frames["recording"] != lost], rejected)
    # The run keeps its own record of the sources; only the target's data set is another one.
    config_text = (run / "config.yaml").read_text().replace(str(true.root), str(moved))
    (run / "config.yaml").write_text(config_text)
    freeze_operating_point(run, **RULES)
    evaluation = evaluate_run(run, None, **RULES)
    result = evaluation.results[1]
    measured = result.measurement
    word = "live" if rows["label"].iloc[0] else "spoof"
    assert evaluation.about["rejected"] == [
        {"part": "target", "domain": "phone", "class": word, "reason": "no face found", "recordings": 1}
    ]
    assert evaluation.about["data_sets"] == {str(moved): {"made_by": "unknown"}}
    live = bool(rows["label"].iloc[0])
    assert (measured.bpnrr if live else measured.apnrr) > 0
    assert result.scores.rows["score"].isna().sum() == 1


def test_a_trained_model_scores_crops_as_it_scored_the_data_set(tiny, tmp_path: Path) -> None:
    """The way from a PNG through `score_crops` equals the way through packed frames."""
    import cv2

    run = train(tiny("binary_cnn"), tmp_path / "run")
    step, _ = freeze_operating_point(run, **RULES)
    scores = read_scores(run / "development" / f"{step:07d}.csv").rows
    config = tiny("binary_cnn")
    frames = load_task(config.data, config.network.image_size, "phone").part("validation")
    crops = [cv2.imread(str(config.data.roots[0] / name), cv2.IMREAD_COLOR_RGB) for name in frames["face"]]
    again = TrainedModel.load(run, step).score_crops(crops)
    np.testing.assert_allclose(again, scores["score"].to_numpy(dtype=float), atol=1e-6)


def test_frames_are_taken_evenly_from_each_recording() -> None:
    frames = pd.DataFrame(
        {"domain": "a", "recording": ["x"] * 8 + ["y"] * 3 + ["z"], "frame": [*range(8), *range(3), 0]}
    )
    kept = evenly_spaced(frames, 3)
    assert kept.groupby("recording")["frame"].apply(list).to_dict() == {"x": [0, 3, 6], "y": [0, 1, 2], "z": [0]}


def test_the_same_domain_in_two_data_sets_is_refused(tiny, simulated: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.symlink_to(simulated)
    data = tiny("binary_cnn").data.model_copy(update={"roots": (simulated, copy)})
    with pytest.raises(UserError, match="is in more than one of"):
        load_task(data, 32, "phone")


def test_the_sources_crops_are_recorded_and_others_warned_of(tiny, simulated: Path, tmp_path: Path, caplog) -> None:
    made = {"phone": 0.5, "laptop": 0.3, "desk": 0.3, "webcam": None}  # the target first; webcam stays simulated
    for domain, margin in made.items():
        shutil.copytree(simulated, tmp_path / domain)
        frames = Manifest.read(simulated).frames
        write_manifest(tmp_path / domain, frames[frames["domain"] == domain])
        if margin is not None:
            (tmp_path / domain / SIMULATED_NAME).unlink()
            write_json(tmp_path / domain / PREPARED_NAME, PrepareOptions(margin=margin).content)
    data = tiny("binary_cnn").data.model_copy(update={"roots": tuple(tmp_path / domain for domain in made)})
    assert load_task(data, 32, "phone").facts()["preparation"]["margin"] == 0.3
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(";")[0] for line in said] == [
        f"{tmp_path / domain}: was prepared with margin 0.3, {tmp_path / 'phone'} with 0.5"
        for domain in ("laptop", "desk")
    ]


@pytest.mark.slow
def test_a_task_inside_one_data_set_reaches_the_run(tmp_path: Path) -> None:
    """Leave one camera out: the restriction goes through the configuration to the frames, the scores and the result."""
    root = tmp_path / "data"
    simulate(root, domains=["laptop"], subjects=10, frames=1, image_size=32, workers=1)
    task = parse_task("laptop[camera=laptop] to laptop[camera=android] (official)")
    values = ["options.samples_per_cell=8", "options.penalty=[1.0]", "options.gamma=[1.0]"]
    config = build_config(
        "ms_lbp", roots=[root], sources=task.sources, target=task.target, lists=task.lists, assignments=values
    )
    data = load_task(config.data, 64, task.target)
    for part, camera, split in (("train", "laptop", "train"), ("target", "android", "test")):
        frames = data.part(part)
        assert set(frames["factor_camera"]) == {camera}
        assert set(frames["split"]) == {split}
        assert set(frames["domain"]) == {f"laptop[camera={camera}]"}
    start(config, tmp_path / "run", Silent())
    freeze_operating_point(tmp_path / "run", **RULES)
    evaluation = evaluate_run(tmp_path / "run", None, **RULES)
    assert parse_task(evaluation.about["task"]) == task
    assert evaluation.results[0].measurement.bootstrap.persons == 2
    with pytest.raises(UserError, match="needs the official lists"):
        load_task(config.data.model_copy(update={"lists": "ssdg"}), 64, task.target)


def test_the_operating_point_is_stored_with_its_provenance(tiny, tmp_path: Path) -> None:
    run = train(tiny("binary_cnn", iterations=2), tmp_path / "run")
    freeze_operating_point(run, selection="last", threshold="fixed=0.5")
    stored = json.loads((run / "operating_point.json").read_text())
    assert stored["selection"] == "last"
    assert stored["checkpoint"] == 2
    assert stored["thresholds"]["frame"]["value"] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ms_lbp", "lbp_top"])
def test_a_hand_crafted_method_runs_like_others(simulated_in_sequence: Path, tmp_path: Path, method: str) -> None:
    values = ["options.samples_per_cell=8", "options.penalty=[1.0]", "options.gamma=[1.0]"]
    sources = ["desk", "webcam", "laptop"]
    config = build_config(method, roots=[simulated_in_sequence], sources=sources, target="phone", assignments=values)
    run = tmp_path / "run"
    assert start(config, run, Silent())
    assert resume(run, Silent())
    step, thresholds = freeze_operating_point(run, **RULES)
    evaluation = evaluate_run(run, None, **RULES)
    assert evaluation.results[0].checkpoint == step == 1
    assert evaluation.results[0].measurement.threshold == thresholds["frame"]
    assert evaluation.about["uses_target_images"] is False
    assert set(evaluation.about["weights"]) == {"1"}
