"""Every mistake of a user: one line on standard error that says what to do, exit code 2, no traceback."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pandas as pd
import pytest
from command_line import dgfas, succeed, train
from PIL import Image
from skimage import data

from dgfas.core.manifest import MANIFEST_NAME

Copier = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ("--set network.widht=0.5", r"unknown key 'network.widht'; did you mean 'width'\?"),
        ("--set options.depth_wieght=1", r"unknown key 'depth_wieght'; did you mean 'depth_weight'\?"),
        ("--set training.iterations=many", r"training.iterations: .*integer"),
        ("--set training.iterations", r"write it as key.subkey=value"),
        ("--set network.image_size=36", r"image side 36 is not divisible by 8; use 32"),
        ("--set training=3", r"training: must hold keys and values"),
        ("--set data.lists=offical", r"data.lists: .*'official'"),
        ("--set domains.provider=d3am", r"unknown provider 'd3am'; did you mean 'd2am'\?"),
        ("--set domains.provider=[d2am]", r"unknown provider"),
        ("--set network.normalization=bach", r"unknown normalisation 'bach'; did you mean 'batch'\?"),
        ("--set training.accelerator=abacus", r"training.accelerator=abacus"),
        ("--method rmf", r"unknown method 'rmf'; did you mean 'rfm'\?"),
        ("--method list", r"unknown method 'list'; valid: .*rfm"),
        ("--method no/such.py", r"no/such.py does not exist"),
        ("--preset papr", r"no preset 'papr'; did you mean 'paper'\?"),
        ("--setting smal", r"unknown setting 'smal'; did you mean 'small'\?"),
        ("--threshold err", r"unknown threshold rule 'err'"),
        ("--threshold bpcer=5", r"'5' is not a number in \[0, 1\]"),
        ("--sources desk,phone", r"target domain 'phone' is also a source"),
        ("--sources desk,webcm", r"unknown domain 'webcm'; did you mean 'webcam'\?"),
        ("--sources desk,desk", r"name a domain twice"),
        ("--sources ,", r"name one domain or more"),
        ("--config no.yaml", r"no.yaml: cannot be read"),
        ("--data no", r"no/manifest.parquet: not found; `dgfas prepare` or `dgfas simulate`"),
    ],
)
def test_a_wrong_word_in_training(words: str, mistake: str, simulated: Path, tmp_path: Path) -> None:
    assert re.search(mistake, train(tmp_path / "run", simulated, *words.split()).mistake)
    assert not (tmp_path / "run").exists()


def test_training_needs_a_folder_and_data(simulated: Path, tmp_path: Path) -> None:
    assert "name the folder of the new run" in dgfas("train", "--data", simulated).mistake
    assert "name the folder of a prepared data set (--data FOLDER)" in dgfas("train", tmp_path / "run").mistake


@pytest.mark.parametrize("text", ["- a list", "", "just words", "key: [", "\0"])
def test_a_file_of_settings_that_holds_no_keys(text: str, simulated: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    assert str(file) in train(tmp_path / "run", simulated, "--config", file).mistake


def test_a_folder_that_is_taken_or_no_run(run: Path, simulated: Path) -> None:
    assert "holds a run already; continue it with `dgfas train --resume" in train(run, simulated).mistake
    for words in (["train", "--resume", simulated], ["evaluate", simulated], ["score", "x.png", "--model", simulated]):
        assert "is not the folder of a run" in dgfas(*words).mistake


def test_options_beside_resume_are_not_dropped_in_silence(run: Path, tmp_path: Path) -> None:
    for words in (["--set", "training.iterations=9"], ["--threshold", "fixed=0.5"], [tmp_path / "new"]):
        assert "takes no other argument" in dgfas("train", "--resume", run, *words).mistake


def test_an_unfinished_run_is_not_measured(run: Path, copy: Copier) -> None:
    own = copy(run)
    (own / "operating_point.json").unlink()
    assert "finish it with `dgfas train --resume" in dgfas("evaluate", own).mistake
    assert "finish it with `dgfas train --resume" in dgfas("score", "x.png", "--model", own).mistake


def test_a_target_that_is_a_source_or_unknown(run: Path) -> None:
    assert "target 'desk' is also a source" in dgfas("evaluate", run, "--target", "desk").mistake
    assert "unknown domain 'phon'; did you mean 'phone'" in dgfas("evaluate", run, "--target", "phon").mistake


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("width: 0.1", "width: 0.5", "another network.width"),
        ("method: rfm", "method: mldg", "options of mldg|is a checkpoint of method RFM, not of MLDG"),
        ("image_size: 32", "image_size: 33", "image side 33 is not divisible by 8"),
        ("seed: 0", "sede: 0", "unknown key 'training.sede'; did you mean 'seed'"),
    ],
)
def test_a_run_whose_settings_were_edited(old: str, new: str, mistake: str, run: Path, copy: Copier) -> None:
    own = copy(run)
    text = (own / "config.yaml").read_text()
    assert old in text
    (own / "config.yaml").write_text(text.replace(old, new))
    for words in (["evaluate", own], ["train", "--resume", own]):
        assert re.search(mistake, dgfas(*words).mistake)


def test_a_domain_without_a_class_names_all_three(simulated: Path, copy: Copier, tmp_path: Path) -> None:
    root = copy(simulated)
    frames = pd.read_parquet(root / MANIFEST_NAME)
    gone = (frames["domain"] == "webcam") & (frames["split"] == "dev") & (frames["label"] == 0)
    frames[~gone].to_parquet(root / MANIFEST_NAME)
    mistake = train(tmp_path / "run", root).mistake
    assert "domain 'webcam' has no spoof frames in part 'validation' with lists 'ssdg'" in mistake


def test_a_crop_that_is_missing_is_named(simulated: Path, copy: Copier, tmp_path: Path) -> None:
    root = copy(simulated)
    face = pd.read_parquet(root / MANIFEST_NAME)["face"][7]
    (root / face).unlink()
    mistake = train(tmp_path / "run", root).mistake
    assert f"row 7, column 'face' points to {root / face}, which does not exist" in mistake


def test_a_manifest_that_is_no_table(simulated: Path, copy: Copier, tmp_path: Path) -> None:
    root = copy(simulated)
    (root / MANIFEST_NAME).write_bytes(b"PAR1 but not really")
    assert f"{root / MANIFEST_NAME}: not a readable Parquet file" in train(tmp_path / "run", root).mistake


def test_a_manifest_written_by_hand_is_checked_before_training(simulated: Path, copy: Copier, tmp_path: Path) -> None:
    root = copy(simulated)
    frames = pd.read_parquet(root / MANIFEST_NAME)
    for column, cell, mistake in (
        ("label", 2, "row 0, column 'label': 2 is neither 0 (spoof) nor 1 (live)"),
        ("split", "training", "row 0, column 'split': 'training' is not one of train, dev, test"),
        ("species", "mask" if frames["label"][0] else "live", "contradicts the label"),
        ("subject", 1, "row 0, column 'subject': 1 is not a text"),
    ):
        frames.assign(**{column: cell}).to_parquet(root / MANIFEST_NAME)
        assert mistake in train(tmp_path / "run", root).mistake
    frames.to_parquet(root / MANIFEST_NAME)
    header = "domain,subject,recording,split,label,species,source,reason\n"
    for text in ("", header + "desk,s,r,train,maybe,print,x,y\n", header + "desk,s,r,train,1,print,x,y\n"):
        (root / "rejected.csv").write_text(text)
        assert str(root / "rejected.csv") in train(tmp_path / "run", root).mistake


@pytest.mark.parametrize("text", ["{", "[1]", "{}"])
@pytest.mark.parametrize("name", ["run.json", "operating_point.json"])
def test_a_damaged_record_is_named(name: str, text: str, run: Path, copy: Copier) -> None:
    own = copy(run)
    (own / name).write_text(text)
    assert f"{own / name}: " in dgfas("score", "x.png", "--model", own).mistake
    (own / "development" / "notes.csv").write_text("of mine")  # other files beside ours do no harm
    if name == "operating_point.json":
        succeed("train", "--resume", own)
        assert dgfas("evaluate", own).code == 0
    else:
        assert f"{own / name}: " in dgfas("train", "--resume", own).mistake


def test_data_that_changed_under_a_run(simulated: Path, copy: Copier, tmp_path: Path) -> None:
    root = copy(simulated)
    assert train(tmp_path / "run", root).code == 0
    frames = pd.read_parquet(root / MANIFEST_NAME)
    frames.iloc[1:].to_parquet(root / MANIFEST_NAME)
    assert "its prepared data have changed since the run began" in dgfas("train", "--resume", tmp_path / "run").mistake


def test_a_file_of_scores_that_lacks_a_column(run: Path, tmp_path: Path) -> None:
    scores = pd.read_csv(run / "development" / "0000002.csv")
    scores.rename(columns={"species": "specis"}).to_csv(tmp_path / "scores.csv", index=False)
    mistake = dgfas("evaluate", "--scores", tmp_path / "scores.csv", "--threshold", "fixed=0.5").mistake
    assert f"{tmp_path / 'scores.csv'}: column 'species' is missing (did you mean 'specis'" in mistake
    assert "needs --development CSV" in dgfas("evaluate", "--scores", run / "development" / "0000002.csv").mistake
    assert "give either the folder of a run, or --scores" in dgfas("evaluate").mistake
    assert "--development goes with --scores" in dgfas("evaluate", run, "--development", tmp_path / "d.csv").mistake
    foreign = ["evaluate", "--scores", tmp_path / "no.csv", "--threshold", "fixed=0.5"]
    assert "leave them out with --scores" in dgfas(*foreign, "--target", "desk").mistake
    assert "describe the system of --scores" in dgfas("evaluate", run, "--score-range", "any").mistake
    assert "cannot be read" in dgfas("evaluate", "--scores", tmp_path / "no.csv", "--threshold", "fixed=0.5").mistake
    assert "give --out" in dgfas("evaluate", "--scores", tmp_path / "scores", "--threshold", "fixed=0.5").mistake


def test_files_that_cannot_be_scored(run: Path, models: None, tmp_path: Path) -> None:
    photo = tmp_path / "whole.png"
    Image.fromarray(data.astronaut()).save(photo)
    whole = photo.read_bytes()
    faults = {
        "empty.jpg": (b"", "the file is empty"),
        "empty.mp4": (b"", "the file is empty"),
        "truncated.png": (whole[: len(whole) // 2], "not a readable image"),
        "noise.png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not a readable image"),
        "words.mp4": (b"no video at all", "not a readable video"),
        "words.txt": (b"no picture", "words.txt"),
    }
    for name, (content, _) in faults.items():
        (tmp_path / name).write_bytes(content)
    with av.open(str(tmp_path / "headonly.avi"), "w") as container:
        container.add_stream("mjpeg", rate=25).pix_fmt = "yuvj420p"
        container.start_encoding()
    for name, fault in {**{name: fault for name, (_, fault) in faults.items()}, "headonly.avi": ""}.items():
        mistake = dgfas("score", tmp_path / name, "--model", run).mistake
        assert str(tmp_path / name) in mistake
        assert fault in mistake
    assert "file not found" in dgfas("score", tmp_path / "no.jpg", "--model", run).mistake
    (tmp_path / "folder").mkdir()
    assert "holds no image" in dgfas("score", tmp_path / "folder", "--model", run).mistake


def test_a_bad_file_does_not_stop_the_good_ones(run: Path, models: None, tmp_path: Path) -> None:
    Image.fromarray(data.astronaut()).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    answer = dgfas("score", tmp_path / "bad.png", tmp_path / "good.png", "--model", run)
    assert "the file is empty" in answer.mistake
    assert f"{tmp_path / 'good.png'}: " in answer.out


def test_scoring_without_face_models_names_the_remedy(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    assert "run `dgfas doctor --fetch-models`" in dgfas("score", "x.png", "--model", run).mistake


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ("--image-size 33", "image side 33 must be divisible by 8"),
        ("--subjects 0", "subjects: 0 is too few"),
        ("--domain attic", "unknown simulated domain 'attic'"),
        ("--domain attic.yaml", "attic.yaml: cannot be read"),
        ("--domain desk --domain desk", "'desk' is named twice"),
    ],
)
def test_a_wrong_word_in_simulating(words: str, mistake: str, tmp_path: Path) -> None:
    assert mistake in dgfas("simulate", tmp_path / "data", *words.split()).mistake


def test_another_data_set_in_the_folder(simulated: Path, run: Path, tmp_path: Path) -> None:
    assert "holds a simulated data set with another 'subjects'" in dgfas("simulate", simulated, "--subjects", 4).mistake
    assert "is not empty and holds no simulated data set" in dgfas("simulate", run).mistake
    assert "not a folder" in dgfas("prepare", "folder", tmp_path / "no", tmp_path / "out").mistake


def test_a_path_that_cannot_be(simulated: Path, tmp_path: Path) -> None:
    assert "File name too long" in train(tmp_path / ("x" * 300), simulated).mistake
    (tmp_path / "file").write_text("")
    assert "Not a directory" in train(tmp_path / "file" / "run", simulated).mistake


def test_data_that_may_not_be_written(simulated: Path, disk: Callable[[str], Path], tmp_path: Path) -> None:
    root = disk("size=20m") / "data"
    shutil.copytree(simulated, root, ignore=shutil.ignore_patterns("packed"))
    disk("ro")
    mistake = train(tmp_path / "run", root).mistake
    assert str(root / "packed") in mistake
    assert "make it writable" in mistake
