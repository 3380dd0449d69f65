"""A model file scores as its run does, holds what scoring needs and nothing else, and is not written otherwise."""

import copy
import functools
import json
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from dgfas.core.config import NetworkConfig
from dgfas.core.errors import UserError
from dgfas.core.manifest import Manifest
from dgfas.core.progress import Silent
from dgfas.deployment.export import change_of_rates, export_run
from dgfas.deployment.graph import scoring_graph
from dgfas.deployment.model_file import INPUT_NAME, open_model, open_session
from dgfas.evaluation.calibration import Calibration
from dgfas.evaluation.scores_file import read_scores
from dgfas.faces.images import read_image
from dgfas.methods.base import Method, Setup
from dgfas.methods.registry import load_method, method_names, method_options, preset_values
from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.run import start
from dgfas.training.selection import freeze_operating_point, read_operating_point
from dgfas.training.trained import TrainedModel

pytestmark = pytest.mark.slow

SIDE = 32
NEVER_LIVE = Calibration(1.0, -50.0)
#: Further ways through a method's `score`, by the method's name.
VARIANTS = {"metareg_sources": "metareg", "ssdg_rgb": "ssdg"}


def shaken(name: str) -> Method:
    """A small method whose BatchNorm layers have seen something, so that folding them wrongly would show."""
    torch.manual_seed(1)
    method = VARIANTS.get(name, name)
    options = preset_values(method, "default") | ({"input": "rgb"} if name == "ssdg_rgb" else {})
    network = NetworkConfig(image_size=SIDE, width=0.1, stem_stride=2)
    built = load_method(method)(method_options(method, options), Setup(network, n_domains=3, iterations=20))
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = 1.0
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.3, 0.3)
    if name == "metareg":
        built.get_buffer("final_updates").fill_(3)  # behind this many updates another classifier scores
    scores_of(built.train(), pictures(16))
    return built.eval()


@functools.cache
def graph(name: str) -> tuple[Method, bytes]:
    """A small method and its graph; exporting takes seconds."""
    method = shaken(name)
    return method, scoring_graph(method)


def pictures(n: int) -> np.ndarray:
    """Bytes `(n, 6, SIDE, SIDE)` of blocks that differ from picture to picture."""
    blocks = np.random.default_rng(n).integers(0, 256, (n, 6, 4, 4), np.uint8)
    return blocks.repeat(SIDE // 4, axis=2).repeat(SIDE // 4, axis=3)


def scores_of(method: Method, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return method.score(torch.from_numpy(images).float().div_(255)).numpy()


@pytest.mark.parametrize("name", [*method_names(), *VARIANTS])
def test_the_graph_of_every_method_scores_as_the_method(name: str) -> None:
    method, content = graph(name)
    session = open_session(content)
    for n in (1, 3):
        images = pictures(n)
        (scores,) = session.run(None, {INPUT_NAME: images})
        expected = scores_of(method, images)
        np.testing.assert_allclose(scores, expected, atol=1e-5, rtol=0)
        assert scores.shape == (n,)
    assert np.ptp(expected) > 1e-3  # else any graph would do
    assert method.state_dict().keys() == shaken(name).state_dict().keys()  # the exporter left it as it was


def weights(content: bytes) -> dict[str, np.ndarray]:
    return {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer}


def nodes(content: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(content).graph.node)


@pytest.mark.parametrize(
    ("name", "scoring_parts"),
    [
        ("rfm", ["encoder", "meta_learner"]),  # without the depth head
        ("auxiliary_depth", ["encoder", "depth"]),  # with it, for it scores
        ("drdg", ["encoder", "frm", "classifier"]),  # FRM stays; SRM and discriminator go
        ("maddg", ["encoder", "embedder"]),  # without the sources' encoders and critics
    ],
)
def test_the_file_holds_the_weights_of_scoring_and_no_others(name: str, scoring_parts: list[str]) -> None:
    method, content = graph(name)
    layers = [layer for part in scoring_parts for layer in method.get_submodule(part).modules()]
    wanted = sum(p.numel() for x in layers if isinstance(x, nn.Conv2d | nn.Linear) for p in x.parameters())
    found = sum(array.size for array in weights(content).values())
    assert wanted <= found < wanted + 20  # some constants: shapes, axes, 255
    assert wanted < sum(p.numel() for p in method.parameters())


def test_batch_norm_is_folded_into_the_convolution_that_feeds_it_alone() -> None:
    method, content = graph("rfm")
    assert nodes(content)["BatchNormalization"] == 0
    convolution, norm = method.encoder.stem[0].requires_grad_(False), method.encoder.stem[1].requires_grad_(False)
    folded = next(array for array in weights(content).values() if array.shape == convolution.weight.shape)
    for channel in range(len(folded)):
        scale = float(norm.weight[channel]) / (float(norm.running_var[channel]) + norm.eps) ** 0.5
        raw = convolution.weight[channel].numpy()
        np.testing.assert_allclose(folded[channel], raw * scale, rtol=1e-5, atol=1e-7)
        assert not np.allclose(raw * scale, raw, rtol=1e-3)


def test_batch_norm_stays_where_the_convolution_feeds_something_else_too() -> None:
    method, content = graph(
        "anrl"
    )  # AFNM: batch and instance normalisation and the balance factor read the same features
    assert nodes(content)["BatchNormalization"] == nodes(content)["InstanceNormalization"] == 10
    convolution = method.encoder.stem[0]
    first = next(array for array in weights(content).values() if array.shape == convolution.weight.shape)
    np.testing.assert_array_equal(first, convolution.weight.detach().numpy())


def test_a_method_that_the_exporter_cannot_follow_is_one_line() -> None:
    method = shaken("binary_cnn")
    scores = {
        r" \(": lambda images: images.mean(dim=(1, 2, 3)) if images.mean() > 0.5 else images[:, 0, 0, 0],
        " for any number of frames": lambda images: images.new_tensor([float(each.mean()) for each in images.numpy()]),
    }
    for cause, score in scores.items():
        method.score = score  # type: ignore[method-assign]
        with pytest.raises(UserError, match=f"method BinaryCNN: torch.onnx cannot follow its `score`{cause}") as caught:
            scoring_graph(method)
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, subjects=5, live_recordings=1, spoof_recordings=1, frames=2, image_size=SIDE, workers=1)
    return folder


def trained(method: str, root: Path, run: Path) -> Path:
    """A finished run of two iterations."""
    values = ["network.image_size=32", "network.width=0.1", "training.batch_per_class=2", "training.threads=1"]
    config = build_config(method, roots=[root], target="phone", assignments=[*values, "training.iterations=2"])
    start(config, run, Silent())
    freeze_operating_point(run, selection="source_validation", threshold="eer")
    return run


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained("auxiliary_depth", root, tmp_path_factory.mktemp("runs") / "depth")


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    export_run(run, path)
    return path


def test_the_file_scores_image_files_as_the_run_did(run: Path, root: Path, exported: Path) -> None:
    model = open_model(exported)
    step, _ = read_operating_point(run)
    stored = read_scores(run / "development" / f"{step:07d}.csv").rows
    frames = Manifest.read(root).frames
    merged = stored.merge(frames[["domain", "recording", "frame", "face"]])
    scores = model.score_crops([read_image(root / face) for face in merged["face"]])
    np.testing.assert_allclose(scores, merged["score"], atol=1e-5, rtol=0)
    assert len(merged) == model.facts.provenance["parity"]["frames"] == len(stored)
    assert np.ptp(scores) > 1e-4


def test_the_file_says_what_it_is(run: Path, root: Path, exported: Path) -> None:
    facts = open_model(exported).facts
    step, thresholds = read_operating_point(run)
    assert (facts.method, facts.precision, facts.image_size, facts.hsv) == ("auxiliary_depth", "float32", 32, "pillow")
    assert facts.thresholds == thresholds
    assert facts.calibration == TrainedModel.load(run, step).calibration
    about = facts.provenance
    assert about["data"] == [{"folder": root.name, "manifest_sha256": Manifest.read(root).content_hash}]
    assert (about["checkpoint"], about["sources"], about["target"]) == (step, ["desk", "webcam", "laptop"], "phone")
    assert about["parity"]["largest_difference"] <= about["parity"]["allowed"] == 1e-5
    for words in (str(thresholds["recording"]), Manifest.read(root).content_hash, "phone was not touched"):
        assert words in facts.card


def test_a_graph_that_scores_otherwise_is_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def altered(method: Method) -> bytes:
        other = copy.deepcopy(method)
        other.get_parameter("depth.body.2.1.bias").data += 1e-3
        return scoring_graph(other)

    monkeypatch.setattr("dgfas.deployment.graph.scoring_graph", altered)
    with pytest.raises(UserError, match=r"not written; of 12 frames one scores .* from the run, more than 1e-05"):
        export_run(run, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_8_bits_are_measured_on_development_data(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    facts = export_run(run, out, int8=True, accept_loss=True)
    content = out.read_bytes()
    assert nodes(content)["QuantizeLinear"] > 10
    eight_bits = [array for array in weights(content).values() if array.dtype == np.int8 and array.ndim == 4]
    assert len(eight_bits) == nodes(content)["Conv"] == 13
    assert all(np.abs(array).max() <= 64 for array in eight_bits)  # 7 of 8 bits, safe without VNNI
    assert facts.precision == open_model(out).facts.precision == "int8"
    change = facts.provenance["int8"]
    before, after = facts.provenance["development"], change["development"]
    assert {level: after[level]["rows"] for level in after} == {level: before[level]["rows"] for level in before}
    moves = [abs(after[level]["hter"] - before[level]["hter"]) for level in before]
    assert change["largest_hter_change"] == max(moves)
    assert change["loss_accepted"]
    assert f"HTER moves by {100 * max(moves):.2f} points" in facts.card


@pytest.mark.parametrize("accept_loss", [False, True])
def test_8_bits_that_cost_too_much_are_refused_unless_accepted(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accept_loss: bool
) -> None:
    """Everything is called spoof, so that HTER becomes one half."""
    monkeypatch.setattr("dgfas.deployment.export._in_8_bits", lambda content, data, progress: content)
    monkeypatch.setattr(
        "dgfas.deployment.export.change_of_rates",
        lambda model, *_: change_of_rates(replace(model, facts=replace(model.facts, calibration=NEVER_LIVE)), *_),
    )
    out = tmp_path / "model.onnx"
    if accept_loss:
        facts = export_run(run, out, int8=True, accept_loss=True)
        assert facts.provenance["int8"]["development"]["frame"]["hter"] == 0.5
        assert "which whoever exported it accepted, beyond the 0.5 that are allowed" in facts.card
        return
    with pytest.raises(UserError, match=r"not written; 8 bits move HTER .* by [\d.]+ points, more than 0.5 \(--accept"):
        export_run(run, out, int8=True)
    assert not out.exists()


def test_data_that_have_moved_are_named(root: Path, tmp_path: Path) -> None:
    here = Path(shutil.copytree(root, tmp_path / "here", ignore=shutil.ignore_patterns("packed")))
    run = trained("self_da", here, tmp_path / "run")
    moved = here.rename(tmp_path / "moved")
    out = tmp_path / "model.onnx"
    with pytest.raises(UserError, match=r"here: the data set that .* was trained on is not here; .* --data"):
        export_run(run, out)
    other = tmp_path / "other"
    simulate(other, subjects=3, live_recordings=1, spoof_recordings=1, frames=1, image_size=SIDE, seed=5, workers=1)
    with pytest.raises(UserError, match=r"other: not the data that .* was trained on"):
        export_run(run, out, roots=[other])
    assert not out.exists()
    facts = export_run(run, out, roots=[moved])
    assert "as it was trained, without that step" in facts.card


def test_other_pictures_of_the_same_names_are_told(root: Path, run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    record = json.loads((run / "run.json").read_text())
    (made,) = record["data_sets"].values()
    drawn_otherwise = {"elsewhere": {**made, "seed": 77}}
    manifests = {"elsewhere": Manifest.read(root).content_hash}
    (other / "run.json").write_text(json.dumps({**record, "manifests": manifests, "data_sets": drawn_otherwise}))
    with pytest.raises(UserError, match=r"not the data that .*other was trained on \(seed 77, now 0\)"):
        export_run(other, tmp_path / "model.onnx", roots=[root])


def test_what_cannot_be_exported_says_why(root: Path, run: Path, tmp_path: Path) -> None:
    hand_crafted = trained("ms_lbp", root, tmp_path / "ms_lbp")
    with pytest.raises(UserError, match="ms_lbp is a hand-crafted method without a network, it is not exported"):
        export_run(hand_crafted, tmp_path / "model.onnx")
    unfinished = Path(shutil.copytree(run, tmp_path / "unfinished"))
    (unfinished / "operating_point.json").unlink()
    with pytest.raises(UserError, match="finish it with `dgfas train --resume"):
        export_run(unfinished, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_without_the_extra_the_command_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r'export needs onnxscript: pip install "dgfas\[export\]"'):
        scoring_graph(shaken("binary_cnn"))
