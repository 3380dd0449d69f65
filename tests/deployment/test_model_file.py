"""A model file that is not whole, not ours or not as it says is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import dgfas
from dgfas.core.errors import UserError
from dgfas.deployment.model_file import FACTS_KEY, ModelFacts, open_model, sealed
from dgfas.evaluation.calibration import Calibration
from dgfas.faces.options import PrepareOptions
from tiny_model import tiny_facts, write_tiny_model


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(UserError) as caught:
        dgfas.Detector.load(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_a_whole_file_opens(tiny_model: Path) -> None:
    model = open_model(tiny_model)
    assert model.facts == tiny_facts()
    assert open_model(tiny_model, sha256=model.sha256.upper()).sha256 == model.sha256
    onnx.checker.check_model(str(tiny_model))  # the hash at the end is a part of a valid ONNX file


def test_facts_survive_the_file() -> None:
    facts = tiny_facts(calibration=Calibration(2.0, -1.0), preprocessing=PrepareOptions(margin=0.3, align="eyes"))
    assert ModelFacts.from_json(facts.to_json()) == facts


def test_a_byte_that_was_changed_anywhere(tiny_model: Path, tmp_path: Path) -> None:
    content = tiny_model.read_bytes()
    path = tmp_path / "model.onnx"
    for place in {*range(0, len(content), 41), *range(len(content) - 82, len(content))}:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert "is altered or damaged" in refusal(path) or place >= len(content) - 82, place
    path.write_bytes(content)
    assert open_model(path).facts == tiny_facts()


def test_a_file_that_was_cut_or_lengthened(tiny_model: Path, tmp_path: Path) -> None:
    content = tiny_model.read_bytes()
    path = tmp_path / "model.onnx"
    for length in (1, 40, 81, 82, 83, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:-length])
        assert "or is truncated (its SHA-256" in refusal(path), length
    path.write_bytes(content + b"\x00")
    assert "or is truncated (its SHA-256" in refusal(path)


def test_what_is_no_model_file_of_ours(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    for content in (b"", b"just a text\n" * 30, bytes(200)):
        path.write_bytes(content)
        assert "is no model file of `dgfas export`" in refusal(path)
    plain = onnx.load(str(tiny_model))
    del plain.metadata_props[:]
    onnx.save(plain, str(path))
    assert "is no model file of `dgfas export`" in refusal(path)
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "none.onnx")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


def resealed(tiny_model: Path, path: Path, facts: str | None) -> Path:
    """Write the tiny model with other facts, or none, and the hash that fits."""
    model = onnx.load(str(tiny_model))
    del model.metadata_props[:]
    if facts is not None:
        helper.set_model_props(model, {FACTS_KEY: facts})
    path.write_bytes(sealed(model.SerializeToString()))
    return path


def test_facts_that_are_missing_damaged_or_of_another_format(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    fields = json.loads(tiny_facts().to_json())
    assert "another version of dgfas" in refusal(resealed(tiny_model, path, json.dumps({**fields, "format": 99})))
    without = {key: value for key, value in fields.items() if key != "thresholds"}
    for facts in (None, "{", "[]", json.dumps(without), json.dumps({**fields, "more": 1})):
        assert "export it again" in refusal(resealed(tiny_model, path, facts))
    endless = {**fields, "thresholds": {"frame": {"value": float("nan"), "rule": "", "data": ""}}}
    assert "export it again" in refusal(resealed(tiny_model, path, json.dumps(endless)))


def test_a_model_that_asks_for_another_input(tmp_path: Path, tiny_model: Path) -> None:
    three = write_tiny_model(tmp_path / "three.onnx", channels=3)
    assert "asks for input [('rgb_hsv', 'tensor(uint8)', [3, 32, 32])]" in refusal(three)
    larger = replace(tiny_facts(), image_size=64).to_json()  # the graph's own size is 32
    assert "asks for input" in refusal(resealed(tiny_model, tmp_path / "larger.onnx", larger))


def test_another_model_than_asked_for(tiny_model: Path) -> None:
    assert "is another model than asked for" in refusal(tiny_model, sha256="0" * 64)


def test_crops_of_any_size_and_number(tiny_model: Path) -> None:
    model = open_model(tiny_model)
    crops = [np.full((side, side, 3), level, np.uint8) for level, side in enumerate([16, 32, 64] * 7)]
    np.testing.assert_allclose(model.score_crops(crops), np.arange(21) / 255, atol=1e-6)
    assert model.score_crops([]).shape == (0,)


def test_a_sigmoid_that_ends_a_rounding_above_one_is_one(tiny_model: Path) -> None:
    class Session:
        def run(self, *_: object) -> list[np.ndarray]:
            return [np.array([np.nextafter(np.float32(1), np.float32(2)), 0.25], np.float32)]

    model = replace(open_model(tiny_model), session=Session())  # type: ignore[arg-type]
    assert model.score_crops([np.zeros((8, 8, 3), np.uint8)] * 2).tolist() == [1.0, 0.25]
