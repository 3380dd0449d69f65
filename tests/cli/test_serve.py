"""`dgfas serve`: what it refuses to serve, and to whom."""

import socket
import sys
from pathlib import Path

import pytest
from command_line import dgfas

from dgfas.deployment.service.settings import listen
from tiny_model import tiny_facts, write_tiny_model

KEY = "a-key-of-more-than-16-characters"


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny.onnx")


def test_a_model_file_that_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    content = tiny_model.read_bytes()
    (tmp_path / "other.onnx").write_bytes(b"no model")
    (tmp_path / "altered.onnx").write_bytes(content.replace(b"binary_cnn", b"binary_cnm"))
    (tmp_path / "cut.onnx").write_bytes(content[:-10])
    write_tiny_model(tmp_path / "input.onnx", tiny_facts(), channels=7)
    for name, fault in {
        "nowhere.onnx": "cannot be read",
        "other.onnx": "is no model",
        "altered.onnx": "is altered or damaged",
        "cut.onnx": "or is truncated",
        "input.onnx": "asks for input",
    }.items():
        mistake = dgfas("serve", tmp_path / name, "--port", "0").mistake
        assert name in mistake
        assert fault in mistake


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_are_kept_out_without_a_key(tiny_model: Path, host: str) -> None:
    mistake = dgfas("serve", tiny_model, "--host", host, "--port", "0").mistake
    assert "can be reached from other machines; set a key (DGFAS_API_KEY)" in mistake


def test_with_a_key_they_are_let_in() -> None:
    with listen("0.0.0.0", 0, KEY) as listening:
        assert listening.getsockname()[0] == "0.0.0.0"
    for host in ("127.0.0.1", "localhost", "127.8.9.10"):
        with listen(host, 0, None) as listening:
            assert listening.getsockname()[1] > 0


@pytest.mark.parametrize("key", ["short", "a key with some spaces in it", "schlüssel-schlüssel"])
def test_a_key_that_keeps_nobody_out(tiny_model: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGFAS_API_KEY", key)
    mistake = dgfas("serve", tiny_model, "--port", "0").mistake
    assert "the API key must have at least 16" in mistake
    assert key not in mistake


def test_a_port_in_use_and_other_wrong_words(tiny_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "Address already in use" in dgfas("serve", tiny_model, "--port", port).mistake
    assert "no address of this machine" in dgfas("serve", tiny_model, "--host", "no.such.host.invalid").mistake
    assert "limit frames is 0" in dgfas("serve", tiny_model, "--max-frames", "0").mistake
    for option in ("--max-megabytes", "--max-megapixels", "--max-seconds"):
        for number in ("nan", "inf", "-inf", "-1"):
            assert f"{option} {number}" in dgfas("serve", tiny_model, option, number, "--host", "256.1").mistake


def test_without_the_extra_it_says_what_to_install(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dgfas.deployment.service.run", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert dgfas("serve", tiny_model).mistake == 'dgfas: the service needs uvicorn: pip install "dgfas[serve]"'
