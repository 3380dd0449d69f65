"""`dgfas benchmark`: a study from the command line, its mistakes, and Ray."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import TINY, dgfas, succeed

from dgfas.cli.benchmark import _seeds
from dgfas.core.errors import UserError
from dgfas.core.files import locked
from dgfas.core.manifest import Manifest, write_manifest

TASK = "desk&webcam to phone"


def words(simulated: Path, out: Path, *more: object) -> list[object]:
    return ["benchmark", "--data", simulated, "--out", out, "--iterations", 2, *TINY[:6], *more]


def results(out: Path) -> dict[str, int]:
    """The time of each result: it changes if it is made again."""
    return {str(path.relative_to(out / "runs")): path.stat().st_mtime_ns for path in out.rglob("seed-*.json")}


@pytest.mark.slow
def test_a_study_is_forecast_done_tabulated_and_resumed(simulated: Path, tmp_path: Path) -> None:
    one = words(simulated, tmp_path, "--seeds", 1, "--processes", 1)
    answer = succeed(*one, TASK, "--methods", "binary_cnn")
    assert answer.err.startswith("1 trainings to do, 1 at once: about ")
    assert "1 trainings done, 0 before, 0 failed" in answer.out
    assert "HTER %, deployable track" in answer.out
    assert "HTER %, oracle track" in answer.out
    assert "| binary_cnn |" in (tmp_path / "study.md").read_text()
    before = results(tmp_path)
    assert list(before) == ["desk&webcam-to-phone/binary_cnn/seed-1.json"]

    mine = tmp_path / "mine.yaml"
    mine.write_text(f"title: Mine\ntasks: ['{TASK}']\nseeds: 1\nentries: [{{label: binary_cnn, method: binary_cnn}}]")
    answer = succeed(*one, "--study", mine)
    assert "0 trainings done, 1 before, 0 failed" in answer.out
    assert results(tmp_path) == before
    assert (tmp_path / "mine.md").read_text().startswith("# Mine")

    content = json.loads((tmp_path / "runs" / next(iter(before))).read_text())
    content["job"]["entry"]["label"], content["made_by"]["commit"] = "of-another-study", "c0ffee"
    other = tmp_path / "runs" / "desk&webcam-to-phone" / "of-another-study" / "seed-1.json"
    other.parent.mkdir()
    other.write_text(json.dumps(content))
    succeed(*one, "--study", mine)
    assert "c0ffee" not in (tmp_path / "mine.md").read_text()

    answer = dgfas(*one, "--set", "training.flip=false", TASK, "--methods", "binary_cnn")
    assert "was made with --set" in answer.mistake
    assert "choose another folder" in answer.mistake


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (f"{TASK}|--methods|rmf", r"unknown method 'rmf'; did you mean 'rfm'"),
        (f"{TASK}|--methods|rfm,rfm", r"label 'rfm' comes twice"),
        ("leave-one-uot|--methods|rfm", r"unknown protocol 'leave-one-uot'; did you mean 'leave-one-out'"),
        ("desk to attic|--methods|rfm", r"data set 'attic' is not prepared"),
        ("--study|rfm-table3", r"unknown study 'rfm-table3'; did you mean 'rfm-table-3'"),
        (f"{TASK}|--study|rfm-table-3", r"--study names its own tasks and methods"),
        ("--methods|rfm", r"name tasks and --methods, or a --study: anrl-table-3"),
        (f"{TASK}|--methods|rfm|--seeds|three", r"--seeds 'three': write a number"),
        (f"{TASK}|--methods|rfm|--address|127.0.0.1:1", r"go with --on ray"),
        (f"{TASK}|--methods|rfm|--seeds|99999999999999999999", r"--seeds '9+': write a number"),
        (f"{TASK}|--methods|rfm|--seeds|20240101", r"more than 1000; write 20240101-20240101 for that one seed"),
        (f"{TASK}|--methods|rfm|--seeds|", r"--seeds '': write a number"),
        (f"{TASK}|--methods|rfm|--setting|", r"unknown setting ''; valid: full, small"),
        (f"{TASK}|--methods|rfm|--dry-run|--set|training.foo=3", r"row 'rfm': .*unknown key 'training.foo'"),
        (f"{TASK}|--methods|rfm|--dry-run|--set|training=3", r"training: must hold keys and values, not 3"),
        (f"{TASK}|--methods|rfm|--dry-run|--set|network.width=5", r"network.width: Input should be .*given: 5"),
        (f"{TASK}|--methods|rfm|--dry-run|--set|options.foo=3", r"options of rfm: unknown key 'foo'"),
        (f"{TASK}|--methods|rfm|--dry-run|--set|data.lists=foo", r"data.lists: Input should be 'ssdg'"),
        (f"{TASK}|--methods|rfm|--tune|1e-3,abc", r"--tune 'abc': write numbers above 0"),
        (f"{TASK}|--methods|rfm|--tune|1e-3,1e-3", r"label 'rfm@1e-3' comes twice"),
        (f"{TASK}|--methods|rfm|--rates|no.json", r"no.json: cannot be read"),
        (f"{TASK}|--methods|rfm|--data-root|.", r"--data FOLDER, once or several times, or by --data-root DIR: one of"),
        (f"{TASK}|--methods|rfm|--data|b|--simulate-subjects|5", r"--simulate-subjects draws one data set"),
        (f"{TASK}|--methods|rfm|--data|nowhere", r"nowhere/manifest.parquet: not found"),
        (f"{TASK}|--methods|rfm|--on|ray|--address|127.0.0.1:1", r"no Ray cluster answers \(Connection refused\)"),
    ],
)
def test_a_mistake_is_said_before_anything_is_done(text: str, mistake: str, simulated: Path, tmp_path: Path) -> None:
    assert re.search(mistake, dgfas(*words(simulated, tmp_path / "out"), *text.split("|")).mistake)
    assert not (tmp_path / "out").exists()


def test_the_data_of_every_seed_are_looked_for_first(simulated: Path, tmp_path: Path) -> None:
    (tmp_path / "sim-1").symlink_to(simulated)
    asked = ["benchmark", TASK, "--methods", "rfm", "--data", tmp_path / "sim-{seed}", "--out", tmp_path / "out"]
    assert "sim-2/manifest.parquet: not found" in dgfas(*asked, "--seeds", 2).mistake
    (tmp_path / "below-1").mkdir()
    (tmp_path / "below-1" / "desk").symlink_to(simulated)
    below = [*asked[:4], "--data-root", tmp_path / "below-{seed}", "--out", tmp_path / "out", "--seeds", 2]
    assert "below-1/webcam: does not exist" in dgfas(*below).mistake
    assert not (tmp_path / "out").exists()


def test_numbers_below_one_are_refused(simulated: Path, tmp_path: Path) -> None:
    for option, number in (("--processes", -3), ("--iterations", 0)):
        answer = dgfas(*words(simulated, tmp_path / "out"), TASK, "--methods", "rfm", option, number)
        assert answer.code == 2
        assert f"Invalid value for '{option}'" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_folder_that_another_benchmark_writes_is_left_alone(simulated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*words(simulated, out, "--seeds", 1, "--processes", 1), TASK, "--methods", "binary_cnn"]
    with locked(out / ".lock"):
        assert f"{out}: another benchmark writes there" in dgfas(*command).mistake
        assert list(out.iterdir()) == [out / ".lock"]
    succeed(*command)


def test_data_must_be_named(simulated: Path, tmp_path: Path) -> None:
    few = ["benchmark", TASK, "--methods", "rfm", "--out", tmp_path / "out"]
    assert "one of the two" in dgfas(*few).mistake
    root = ["--data-root", simulated.parent]
    assert "--simulate-subjects draws one data set" in dgfas(*few, *root, "--simulate-subjects", 5).mistake
    drawn = ["--data", tmp_path / "sim", "--simulate-subjects", 5]
    assert f"for each of the 2 seeds; write {tmp_path}/sim-{{seed}}" in dgfas(*few, *drawn, "--seeds", 2).mistake
    assert dgfas(*few, *drawn, "--seeds", "2-2", "--dry-run").code == 0
    assert re.search(r"desk: does not exist; make it by `dgfas simulate .* --domain desk`", dgfas(*few, *root).mistake)


@pytest.mark.slow
def test_several_data_sets_and_a_forecast_without_a_training(
    simulated: Path, copy: Callable[[Path], Path], tmp_path: Path
) -> None:
    """The same four domains, two in one folder and two in another."""
    other = copy(simulated)
    for folder, kept in ((other, ["desk", "laptop"]), (tmp_path / "rest", ["webcam", "phone"])):
        shutil.copytree(simulated / "faces", folder / "faces", dirs_exist_ok=True)
        frames = Manifest.read(simulated).frames
        write_manifest(folder, frames[frames["domain"].isin(kept)])
    named = ["--methods", "binary_cnn", "--seeds", 1, "--processes", 1, "--data", other]
    answer = succeed(*words(tmp_path / "rest", tmp_path / "out", *named), TASK, "--dry-run", "--tflops", 2)
    assert answer.out.startswith("1 trainings to do, 1 at once: about ")
    assert "counted floating-point operations at 2 TFLOP/s, which is assumed" in answer.out
    assert not (tmp_path / "out").exists()
    succeed(*words(tmp_path / "rest", tmp_path / "out", *named), TASK)
    [path] = tmp_path.rglob("seed-1.json")
    content = json.loads(path.read_text())
    assert content["job"]["data"] == [str(other), str(tmp_path / "rest")]
    assert list(content["about"]["manifests"]) == content["job"]["data"]

    path.write_text(json.dumps({**content, "job": {**content["job"], "data": str(simulated)}}))  # as before
    answer = succeed(*words(tmp_path / "rest", tmp_path / "out", *named), TASK)
    assert "0 trainings done, 1 before, 0 failed" in answer.out
    succeed("report", tmp_path / "out", "--out", tmp_path / "report.html", "--no-figures")
    assert f"--data {simulated} " in (tmp_path / "report.html").read_text()


def test_ray_that_is_not_installed(simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    answer = dgfas(*words(simulated, tmp_path / "out"), TASK, "--methods", "rfm", "--on", "ray")
    assert 'pip install "dgfas[cluster]"' in answer.mistake


def test_numbers_ranges_and_lists_of_seeds() -> None:
    assert _seeds("3") == [1, 2, 3]
    assert _seeds("4-6") == [4, 5, 6]
    assert _seeds("7,2") == [7, 2]
    assert _seeds("20240101-20240101") == [20240101]
    for wrong in ("0", "6-4", "1,1", "1,", "-1", "1.5", "", "20240101", "1-1001", "9" * 5000):
        with pytest.raises(UserError, match="--seeds"):
            _seeds(wrong)


@pytest.mark.slow
def test_ctrl_c_leaves_what_is_done_and_one_line(simulated: Path, tmp_path: Path) -> None:
    """The second training would take an hour."""
    study = tmp_path / "two.yaml"
    quick = "{label: quick, method: binary_cnn}"
    long = "{label: long, method: binary_cnn, assignments: [training.iterations=99999]}"
    study.write_text(f"title: Two\ntasks: ['{TASK}']\nseeds: 1\nentries: [{quick}, {long}]")
    command = words(simulated, tmp_path / "out", "--study", study, "--processes", 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "dgfas", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    done = tmp_path / "out/runs/desk&webcam-to-phone/quick/seed-1.json"
    while process.poll() is None and not done.is_file():
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert err.count("dgfas: stopped; give the same command again to go on") == 1
    assert "Traceback" not in err
    assert json.loads(done.read_text())["results"]
    assert len(results(tmp_path / "out")) == 1


@pytest.mark.slow
def test_runs_are_kept_for_the_figures(simulated: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "study", tmp_path / "page.html"
    two = words(simulated, out, TASK, "--methods", "pdl_fas", "--processes", 1)
    succeed(*two, "--seeds", 1)
    assert not (out / "kept").exists()
    answer = succeed(*two, "--seeds", "2-2", "--keep-runs")
    assert list((out / "kept").glob("*/*/*")) == [out / "kept" / "desk&webcam-to-phone" / "pdl_fas" / "seed-2"]
    assert "without --keep-runs" not in answer.err
    answer = succeed(*two, "--seeds", "2-2", "--keep-runs")
    assert "0 trainings done, 1 before" in answer.out
    succeed("report", out, "--out", page)
    assert {file.name for file in (tmp_path / "page-figures").glob("pdl_fas-4*")} == {"pdl_fas-4.png", "pdl_fas-4.svg"}
    assert "(run pdl_fas/seed-2: " in (tmp_path / "page-figures" / "figures.json").read_text()
    answer = succeed(*two, "--seeds", 1, "--keep-runs")
    assert "1 of the results were made without --keep-runs; delete them to make them again" in answer.err
    assert "leave out --on ray" in dgfas(*two, "--seeds", "3-3", "--keep-runs", "--on", "ray").err


@pytest.mark.slow
def test_a_training_on_a_ray_cluster_that_is_started_for_it(tmp_path: Path) -> None:
    data = tmp_path / "drawn"
    one = ["--on", "ray", "--processes", 1, "--simulate-subjects", 5, "--seeds", 1]
    answer = succeed(*words(data, tmp_path / "out"), TASK, "--methods", "binary_cnn", *one)
    assert "1 trainings done, 0 before, 0 failed" in answer.out
    assert (data / "manifest.parquet").is_file()  # drawn where the training ran
    assert [path.name for path in tmp_path.glob("*.lock")] == [".drawn.lock"]
