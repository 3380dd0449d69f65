"""`pip install dgfas` has no torch: what works without it, and what the rest says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

#: Run as a program: its imports fail as if the packages of `dgfas[train]` were not installed.
WITHOUT_TORCH = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning_fabric", "safetensors", "tensorboard"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

ROOMS = """
import importlib
import pkgutil

for room in ("core", "datasets", "simulation", "faces", "evaluation", "reporting", "methods.classical", "cli"):
    package = importlib.import_module(f"dgfas.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith("dgfas.reporting.figures."):  # they look into networks
            importlib.import_module(module.name)
assert "torch" not in sys.modules
"""

FEW = [
    "--subjects",
    "5",
    "--live-recordings",
    "1",
    "--spoof-recordings",
    "1",
    "--frames",
    "2",
    "--image-size",
    "32",
    "--workers",
    "1",
]


def python(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_TORCH + program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def dgfas(*words: object) -> subprocess.CompletedProcess[str]:
    return python("from dgfas.cli import main\nmain()", *words)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "simulated"
    done = dgfas("simulate", root, *FEW)
    assert done.returncode == 0, done.stderr
    return root


def test_the_rooms_without_torch_import_without_torch() -> None:
    done = python(ROOMS)
    assert done.returncode == 0, done.stderr


def test_help_and_doctor() -> None:
    assert dgfas("--help").returncode == 0
    assert 'torch: not installed; to train, pip install "dgfas[train]"' in dgfas("doctor").stdout


def test_scores_are_measured(tmp_path: Path) -> None:
    header = "domain,subject,recording,frame,species,label,score\n"
    rows = "{0},p1,r1,0,live,1,0.9\n{0},p2,r2,0,print,0,0.2\n{0},p3,r3,0,live,1,0.7\n{0},p4,r4,0,replay,0,0.4\n"
    for name, domain in (("source", "desk"), ("target", "phone")):
        (tmp_path / f"{name}.csv").write_text(header + rows.format(domain))
    files = ["--scores", tmp_path / "target.csv", "--development", tmp_path / "source.csv", "--out", tmp_path / "out"]
    done = dgfas("evaluate", *files)
    assert done.returncode == 0, done.stderr
    assert "HTER" in done.stdout
    assert (tmp_path / "out" / "roc.png").is_file()
    done = dgfas("report", tmp_path / "out", "--out", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "By attack species" in (tmp_path / "report.html").read_text()


def test_training_says_what_to_install(simulated: Path, tmp_path: Path) -> None:
    done = dgfas("train", tmp_path / "run", "--data", simulated, "--target", "phone")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("dgfas: ")
    assert 'pip install "dgfas[train]"' in done.stderr
    assert not (tmp_path / "run").exists()


DETECT = """
import dgfas
from skimage.data import astronaut

answer = dgfas.Detector.load(sys.argv[1]).score(astronaut())
print(answer.decision, answer.score)
assert not {"torch", "onnx", "fastapi"} & set(sys.modules)
"""


def test_a_model_file_scores_without_torch(models: None, tmp_path: Path) -> None:
    model, photo = write_tiny_model(tmp_path / "model.onnx"), tmp_path / "astronaut.png"
    done = python(DETECT, model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("live 0.")
    Image.fromarray(data.astronaut()).save(photo)
    done = dgfas("score", photo, "--model", model)
    assert done.stdout.startswith(f"{photo}: live  score 0."), done.stderr


def test_exporting_says_what_to_install(simulated: Path, tmp_path: Path) -> None:
    threshold = {"value": 0.5, "rule": "fixed value", "data": "no data"}
    point = {"checkpoint": 1, "thresholds": {"frame": threshold, "recording": threshold}}
    (tmp_path / "operating_point.json").write_text(json.dumps(point))
    sizes = "network: {image_size: 32, width: 0.1}\ntraining: {iterations: 1, batch_per_class: 2}\n"
    (tmp_path / "config.yaml").write_text(f"method: rfm\ndata: {{roots: ['{simulated}']}}\n{sizes}")
    done = dgfas("export", tmp_path)
    assert done.returncode == 2
    assert 'pip install "dgfas[train]"' in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_hand_crafted_method_runs_to_its_scores(simulated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ["--method", "ms_lbp", "--set", "network.image_size=32"]
    done = dgfas("train", run, "--data", simulated, "--target", "phone", *options)
    assert done.returncode == 0, done.stderr
    done = dgfas("evaluate", run)
    assert done.returncode == 0, done.stderr
    assert "HTER" in done.stdout
    done = dgfas("report", run, "--out", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "no figures of RFM (no run of rfm)" in (tmp_path / "report.html").read_text()
