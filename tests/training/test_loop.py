"""Training: what a run leaves, that it resumes to the bit, and that it stops before damage."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from run_checks import assert_same_state, latest

from dgfas.core.errors import UserError
from dgfas.core.files import locked
from dgfas.core.progress import Silent
from dgfas.evaluation.scores_file import read_scores
from dgfas.methods.base import Method
from dgfas.methods.binary_cnn import BinaryCNN
from dgfas.training import loop
from dgfas.training.checkpoint import LATEST, checkpoint_path, saved_steps
from dgfas.training.loop import Training, resume, train
from dgfas.training.record import read_config, read_record
from dgfas.training.run import resume as go_on
from dgfas.training.run import start


class Notes(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: list[tuple[str, int, int]] = []

    def note(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, name: str, done: int, total: int) -> None:
        self.done.append((name, done, total))


def test_a_run_leaves_everything_needed_to_read_it(tiny, tmp_path: Path) -> None:
    config = tiny("rfm", iterations=20)
    notes = Notes()
    run = train(config, tmp_path / "run", notes)
    assert saved_steps(run) == list(range(2, 21, 2))
    assert read_config(run) == config
    record = read_record(run)
    assert record["seed"] == 0
    assert record["threads"] == 1
    assert len(next(iter(record["manifests"].values()))) == 64
    assert {row["part"] for row in record["recordings"]} == {"train", "validation", "target"}
    assert re.fullmatch(r"20 iterations \(20 batches of 4 frames a domain\): about \d+ s", notes.lines[0])
    assert ("training", 20, 20) in notes.done
    assert list((run / "tensorboard").iterdir())
    scores = read_scores(run / "development" / "0000020.csv")
    assert set(scores.rows["domain"]) == {"desk", "webcam", "laptop"}


def test_no_target_frame_is_read_in_training(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loaders of a run hold the rows of its source domains alone."""
    parts = []
    original = loop.TaskData.loader

    def spy(self, part, device):
        parts.append(part)
        return original(self, part, device)

    monkeypatch.setattr(loop.TaskData, "loader", spy)
    train(tiny("binary_cnn"), tmp_path / "run")
    assert sorted(parts) == ["train", "validation"]


def test_a_stopped_run_resumes_to_the_bit(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny("rfm")
    straight = train(config, tmp_path / "straight")
    step = Training.step

    def stop_at_seven(self: Training):
        if self.iteration == 7:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Training, "step", stop_at_seven)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped")
    monkeypatch.undo()
    assert saved_steps(tmp_path / "stopped")[-1] == 7
    resume(tmp_path / "stopped")
    assert_same_state(straight, tmp_path / "stopped")


@pytest.mark.slow
def test_a_killed_process_resumes_to_the_bit(tiny, tmp_path: Path) -> None:
    """`kill -9` between any two instructions: what is on disk is a whole checkpoint, and the end is the same."""
    config = tiny("rfm", "training.checkpoint_seconds=0.01", iterations=400)
    straight = train(config, tmp_path / "straight")
    killed = tmp_path / "killed"
    values = json.dumps(config.model_dump(mode="json"))
    script = (
        "import json, sys; from pathlib import Path; from dgfas.core.config import RunConfig;"
        "from dgfas.training.loop import train;"
        "train(RunConfig(**json.loads(sys.argv[1])), Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, values, str(killed)])
    while not checkpoint_path(killed, 40).is_file():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert saved_steps(killed)[-1] < 400
    resume(killed)
    assert_same_state(straight, killed)


def test_another_seed_gives_another_run(tiny, tmp_path: Path) -> None:
    """The negative control of the tests above: equality is not a property of all runs."""
    one = train(tiny("rfm", iterations=2), tmp_path / "one")
    other = train(tiny("rfm", "training.seed=1", iterations=2), tmp_path / "other")
    with pytest.raises(AssertionError):
        assert_same_state(one, other)


def test_a_non_finite_loss_stops_and_keeps_the_last_checkpoint(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minimise = Method.minimise

    def poisoned(self, loss, optimiser):
        minimise(self, loss * (float("nan") if self.iteration == 5 else 1), optimiser)

    monkeypatch.setattr(Method, "minimise", poisoned)
    with pytest.raises(UserError, match="the loss is nan at iteration 5; the last checkpoint is intact"):
        train(tiny("binary_cnn"), tmp_path / "run")
    assert saved_steps(tmp_path / "run")[-1] == 5
    assert all(value.isfinite().all() for value in latest(tmp_path / "run").values())


def test_non_finite_parameters_are_never_saved(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Training.step

    def poison(self: Training):
        logs = step(self)
        if self.iteration == 3:
            next(self.method.parameters()).data.fill_(float("inf"))
        return logs

    monkeypatch.setattr(Training, "step", poison)
    with pytest.raises(UserError, match="no longer finite"):
        train(tiny("binary_cnn"), tmp_path / "run")
    assert all(value.isfinite().all() for value in latest(tmp_path / "run").values())


def test_a_score_that_is_no_probability_is_refused_with_what_to_set(tiny, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(BinaryCNN, "score", lambda self, images: 1 + images.mean(dim=(1, 2, 3)))
    with pytest.raises(UserError, match=r"BinaryCNN: its scores reach from 1\.\d+ to 1\.\d+, .*score_is_probability ="):
        train(tiny("binary_cnn", iterations=1), tmp_path / "run")


def test_a_full_disk_leaves_the_previous_checkpoint(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(tiny("binary_cnn", iterations=2), tmp_path / "run")
    before = checkpoint_path(run, LATEST).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    training = Training(read_config(run), run, *_parts(read_config(run)))
    training.restore()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"No space left on device.*previous one is intact"):
        training._save(LATEST, resumable=True)
    assert checkpoint_path(run, LATEST).read_bytes() == before
    assert not list((run / "checkpoints").glob("*.partial"))


def _parts(config):
    fabric = loop.launch(config.training)
    return loop._load(config, fabric, Silent()), fabric, Silent()


def test_running_out_of_memory_names_the_remedy(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(self, images):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("dgfas.methods.binary_cnn.BinaryCNN.logit", hungry)
    with pytest.raises(UserError, match=r"network\.checkpoint_activations"):
        train(tiny("binary_cnn"), tmp_path / "run")


def test_a_folder_that_holds_a_run_is_not_overwritten(tiny, tmp_path: Path) -> None:
    train(tiny("binary_cnn", iterations=1), tmp_path / "run")
    with pytest.raises(UserError, match="holds a run already"):
        train(tiny("binary_cnn", iterations=1), tmp_path / "run")


def test_a_folder_that_holds_a_run_is_refused_before_other_processes_start(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(tiny("binary_cnn", iterations=1), tmp_path / "run")
    monkeypatch.setattr(loop, "launch", lambda config: pytest.fail("they were started"))
    with pytest.raises(UserError, match="holds a run already"):
        train(tiny("binary_cnn", iterations=1), run)


@pytest.mark.parametrize("method", ["binary_cnn", "ms_lbp"])
def test_a_run_that_another_process_trains_is_left_alone(tiny, tmp_path: Path, method: str) -> None:
    run, new = tmp_path / "run", tmp_path / "new"
    start(tiny(method, iterations=1), run, Silent())
    with locked(run / ".lock"), pytest.raises(UserError, match="run: another process trains it"):
        go_on(run, Silent())
    with locked(new / ".lock"), pytest.raises(UserError, match="new: another process trains it"):
        start(tiny(method, iterations=1), new, Silent())
    assert [path.name for path in new.iterdir()] == [".lock"]
    go_on(run, Silent())
    start(tiny(method, iterations=1), new, Silent())


def test_resuming_on_another_number_of_threads_is_said(tiny, tmp_path: Path) -> None:
    run = train(tiny("binary_cnn", iterations=2), tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "threads": 7}))
    notes = Notes()
    resume(run, notes)
    assert "threads was 7 and is now 1: the result will differ in its last bits" in notes.lines


def test_resuming_on_changed_data_is_refused(tiny, tmp_path: Path) -> None:
    run = train(tiny("binary_cnn", iterations=1), tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    record["manifests"] = dict.fromkeys(record["manifests"], "0" * 64)
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="prepared data have changed"):
        resume(run)


def edit_record(run: Path, **changes: object) -> None:
    """Change the record of a run; None takes a key out."""
    record = {**json.loads((run / "run.json").read_text()), **changes}
    (run / "run.json").write_text(json.dumps({key: value for key, value in record.items() if value is not None}))


@pytest.mark.parametrize("method", ["binary_cnn", "ms_lbp"])
def test_resuming_on_other_pictures_of_the_same_names_is_refused(tiny, tmp_path: Path, method: str) -> None:
    run = tmp_path / "run"
    start(tiny(method, iterations=1), run, Silent())
    if method == "ms_lbp":
        (run / "development" / "0000001.csv").unlink()  # as if it had been stopped
    data_sets = read_record(run)["data_sets"]
    edit_record(run, data_sets={root: {**made, "version": -1} for root, made in data_sets.items()})
    with pytest.raises(UserError, match=r"prepared data have changed since the run began \(version -1, now \d+\)"):
        go_on(run, Silent())
    edit_record(run, data_sets=None)  # as in the runs of older versions
    go_on(run, Silent())


def test_a_method_may_take_several_batches_for_an_iteration(
    tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DRDG: ten passes of Algorithm 1 update the encoder four times, and every pass has a batch of its own."""
    drawn = []
    original = Training._batch

    def spy(self: Training, number: int, rank: int):
        drawn.append((self.iteration, number))
        return original(self, number, rank)

    monkeypatch.setattr(Training, "_batch", spy)
    notes = Notes()
    train(tiny("drdg", iterations=5), tmp_path / "run", notes)
    assert [number for _, number in drawn] == list(range(12))
    assert [iteration for iteration, _ in drawn] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4]
    assert notes.lines[0].startswith("5 iterations (12 batches of 4 frames a domain)")
